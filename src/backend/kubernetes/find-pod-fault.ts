import type { JsonObject } from '../../domain/json.ts';
import { LABEL, LLAMA_SERVER } from '../../api/cluster/pod-marks.ts';
import type { PodSettings } from '../../api/cluster/pod-settings.ts';

/** All that Corral mounts lies under it. */
export const OWN_FOLDER = '/corral';
/** Names of Corral's own volumes and init containers begin so. */
export const OWN_VOLUMES = 'corral-';
const OWN_KEYS = 'corral.dev/';
const TEMPORARY_FOLDER = '/tmp';

/** One thing in the user's part of the pod that is Corral's to set. */
interface Fault {
  readonly field: string;
  readonly reason: string;
}

/** What is wrong with the user's part of the pod, as a sentence that names the field; `undefined`: nothing. */
export function findPodFault(settings: PodSettings): string | undefined {
  const [fault] = [
    ...keyFaults('pod.labels', settings.pod.labels, [LABEL.name, LABEL.managedBy]),
    ...keyFaults('pod.annotations', settings.pod.annotations, []),
    ...volumeFaults(settings.pod.volumes),
    ...mountFaults(settings.pod.volumeMounts),
    ...containerFaults('pod.initContainers', settings.pod.initContainers),
    ...containerFaults('pod.sidecars', settings.pod.sidecars),
    ...sidecarFaults(settings.pod.sidecars),
    ...envFaults(settings),
    ...shardFaults(settings),
  ];
  return fault === undefined ? undefined : `${fault.field}: ${fault.reason}`;
}

function keyFaults(
  field: string,
  map: Readonly<Record<string, string>> | undefined,
  owned: readonly string[],
): Fault[] {
  return Object.keys(map ?? {})
    .filter((key) => key.startsWith(OWN_KEYS) || owned.includes(key))
    .map((key) => ({ field: `${field}["${key}"]`, reason: 'Corral sets this key itself; remove it' }));
}

/** One fault for each item of a list that `reasonOf` has something to say about. */
function itemFaults(
  field: string,
  items: readonly JsonObject[] | undefined,
  reasonOf: (item: JsonObject) => string | undefined,
): Fault[] {
  return (items ?? []).flatMap((item, index) => {
    const reason = reasonOf(item);
    return reason === undefined ? [] : [{ field: `${field}[${index}]`, reason }];
  });
}

const volumeFaults = (volumes: readonly JsonObject[] | undefined): Fault[] =>
  itemFaults('pod.volumes', volumes, ({ name }) =>
    typeof name === 'string' && name.startsWith(OWN_VOLUMES)
      ? `volume names that begin with "${OWN_VOLUMES}" are Corral's own; choose another name`
      : undefined,
  );

const mountFaults = (mounts: readonly JsonObject[] | undefined): Fault[] =>
  itemFaults('pod.volumeMounts', mounts, ({ mountPath }) =>
    typeof mountPath === 'string' && isOwnFolder(mountPath)
      ? `Corral mounts ${mountPath} itself; choose another mountPath`
      : undefined,
  );

function isOwnFolder(path: string): boolean {
  const folder = path.replace(/\/+$/u, '');
  return folder === TEMPORARY_FOLDER || folder === OWN_FOLDER || folder.startsWith(`${OWN_FOLDER}/`);
}

const containerFaults = (field: string, containers: readonly JsonObject[] | undefined): Fault[] =>
  itemFaults(field, containers, ({ name }) =>
    name === LLAMA_SERVER || (typeof name === 'string' && name.startsWith(OWN_VOLUMES))
      ? `the name ${name} is one of Corral's own containers'; choose another`
      : undefined,
  );

/** llama-server finds the other shards by their names, beside the first. */
function shardFaults({ source, files }: PodSettings): Fault[] {
  const named = [{ field: 'source.url', source }, ...files.map((file, index) => ({ field: `files[${index}].source.url`, source: file.source }))]; // prettier-ignore
  return named
    .filter((one) => one.source.kind === 'url' && /-\d{5}-of-\d{5}\.gguf/iu.test(one.source.url))
    .map(({ field }) => ({
      field,
      reason: 'it is one shard of a model, and only one file is downloaded; merge the shards, or use another source',
    }));
}

/** Any other container beside a finished llama-server would keep its pod, and with it its share of the pool, for ever. */
const sidecarFaults = (sidecars: readonly JsonObject[] | undefined): Fault[] =>
  itemFaults('pod.sidecars', sidecars, ({ restartPolicy }) =>
    restartPolicy === undefined || restartPolicy === 'Always'
      ? undefined
      : 'the restartPolicy of a sidecar is Always; remove the field',
  );

function envFaults({ env, source }: PodSettings): Fault[] {
  const hasToken = source.kind === 'huggingFace' && source.tokenSecretRef !== undefined;
  const owned = ['POD_IP', ...(hasToken ? ['HF_TOKEN'] : [])];
  return env
    .filter(({ name }) => owned.includes(name))
    .map(({ name }) => ({
      field: `env["${name}"]`,
      reason:
        name === 'HF_TOKEN' ? 'tokenSecretRef sets it already; remove one of them' : 'Corral sets it itself; remove it',
    }));
}
