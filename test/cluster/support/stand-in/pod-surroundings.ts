import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ApiClient } from '../api-client.ts';
import type { StandInContainer, StandInEnv, StandInPod, StandInVolume } from './stand-in-pod.ts';
import { createToken } from '../create-token.ts';
import { textAt } from '../field-at.ts';

/** A pod, and where it gets what it refers to. */
export interface PodPlace {
  readonly pod: StandInPod;
  readonly podIp: string;
  readonly api: ApiClient;
  /** A folder for its volumes. */
  readonly folder: string;
  /** The API server, and its certificate authority. */
  readonly server: URL;
  readonly caFile: string;
}

export const CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Puts a container's volumes in place. Returns mount paths with what they are on this machine. Throws if one is missing. */
export async function placeVolumes(place: PodPlace, container: StandInContainer): Promise<ReadonlyMap<string, string>> {
  const mounts = new Map<string, string>();
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const volume = (place.pod.spec.volumes ?? []).find((one) => one.name === name);
    if (volume === undefined) throw new Error(`there is no volume ${name}`);
    const path = mountPath === CREDENTIALS ? await placeCredentials(place) : await placeVolume(place, volume);
    mounts.set(mountPath, subPath === undefined ? path : join(path, subPath));
  }
  return mounts;
}

async function placeVolume(place: PodPlace, volume: StandInVolume): Promise<string> {
  const { hostPath, emptyDir, persistentVolumeClaim: claim, secret, configMap } = volume;
  if (hostPath !== undefined) return hostPath.path;
  if (claim !== undefined) return pathOfClaim(place, claim.claimName);
  const folder = join(place.folder, volume.name);
  await mkdir(folder, { recursive: true });
  if (emptyDir !== undefined) return folder;
  if (secret !== undefined) return placeSecret(place, folder, secret);
  if (configMap !== undefined)
    return writeFiles(folder, await dataOf(place, 'configmaps', configMap.name), configMap.items);
  throw new Error(`the stand-in has no volumes of the kind of ${volume.name}`);
}

/** As it is at the start of the container; a kubelet follows its changes. */
async function placeSecret(
  place: PodPlace,
  folder: string,
  { secretName, items, optional }: NonNullable<StandInVolume['secret']>,
): Promise<string> {
  const found = await findData(place, 'secrets', secretName);
  if (found === undefined && optional === true) return folder;
  if (found === undefined) throw new Error(`there is no ${secretName} in secrets`);
  return writeFiles(folder, found, items);
}

async function pathOfClaim({ api, pod }: PodPlace, name: string): Promise<string> {
  const claim = await api.find(`/api/v1/namespaces/${pod.metadata.namespace}/persistentvolumeclaims`, name);
  const volumeName = textAt(claim, 'spec', 'volumeName');
  const volume = volumeName === undefined ? undefined : await api.find('/api/v1/persistentvolumes', volumeName);
  const path = textAt(volume, 'spec', 'hostPath', 'path');
  if (path === undefined) throw new Error(`the stand-in can use claims of hostPath volumes only, and ${name} is none`);
  return path;
}

/** What proves to the API server that it is the pod's service account that calls. */
async function placeCredentials({ api, pod, folder, caFile }: PodPlace): Promise<string> {
  const { namespace } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? 'default';
  const token = await createToken(api, { namespace, account, pod });
  const credentials = join(folder, 'service-account');
  await mkdir(credentials, { recursive: true, mode: 0o700 });
  await writeFile(join(credentials, 'token'), token, { mode: 0o600 });
  await writeFile(join(credentials, 'namespace'), namespace);
  await copyFile(caFile, join(credentials, 'ca.crt'));
  return credentials;
}

const PROGRAMS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A container's environment: later entries may refer to earlier ones. Throws if a Secret or ConfigMap has no such key. */
export async function resolveEnv(place: PodPlace, container: StandInContainer): Promise<ReadonlyMap<string, string>> {
  const env = new Map([
    ['PATH', PROGRAMS],
    ['KUBERNETES_SERVICE_HOST', place.server.hostname],
    ['KUBERNETES_SERVICE_PORT', place.server.port],
  ]);
  for (const entry of container.env ?? []) env.set(entry.name, await valueOf(place, entry));
  return env;
}

async function valueOf(place: PodPlace, { name, value, valueFrom }: StandInEnv): Promise<string> {
  if (valueFrom === undefined) return value ?? '';
  const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldOf(place, fieldRef.fieldPath);
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) throw new Error(`the stand-in does not know where ${name} comes from`);
  const data = await dataOf(place, secretKeyRef === undefined ? 'configmaps' : 'secrets', ref.name);
  const bytes = data.get(ref.key);
  if (bytes === undefined) throw new Error(`${ref.name} has no key ${ref.key}`);
  return bytes.toString('utf8');
}

function fieldOf({ pod, podIp }: PodPlace, path: string): string {
  const fields = new Map([
    ['status.podIP', podIp],
    ['status.hostIP', '127.0.0.1'],
    ['metadata.name', pod.metadata.name],
    ['metadata.namespace', pod.metadata.namespace],
    ['metadata.uid', pod.metadata.uid],
    ['spec.nodeName', pod.spec.nodeName],
    ['spec.serviceAccountName', pod.spec.serviceAccountName],
  ]);
  const field = fields.get(path);
  if (field === undefined) throw new Error(`the stand-in does not know the field ${path}`);
  return field;
}

type Data = ReadonlyMap<string, Buffer>;

type Kind = 'secrets' | 'configmaps';

async function dataOf(place: PodPlace, kind: Kind, name: string): Promise<Data> {
  const found = await findData(place, kind, name);
  if (found === undefined) throw new Error(`there is no ${name} in ${kind}`);
  return found;
}

async function findData({ api, pod }: PodPlace, kind: Kind, name: string): Promise<Data | undefined> {
  const object = await api.find(`/api/v1/namespaces/${pod.metadata.namespace}/${kind}`, name);
  if (object === undefined) return undefined;
  const data = object['data'];
  const entries = typeof data === 'object' && data !== null ? Object.entries(data) : [];
  const encoding = kind === 'secrets' ? 'base64' : 'utf8';
  return new Map(entries.map(([key, value]): [string, Buffer] => [key, Buffer.from(String(value), encoding)]));
}

async function writeFiles(
  folder: string,
  data: Data,
  items: readonly { readonly key: string; readonly path: string }[] | undefined,
): Promise<string> {
  for (const { key, path } of items ?? [...data.keys()].map((name) => ({ key: name, path: name }))) {
    const bytes = data.get(key);
    if (bytes === undefined) throw new Error(`there is no key ${key}`);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return folder;
}
