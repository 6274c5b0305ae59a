import type { Json, JsonObject } from '../../domain/json.ts';
import { createHash } from 'node:crypto';
import { ANNOTATION, formatGate, LABEL, LLAMA_SERVER, OWN_CONTROLLER } from '../../api/cluster/pod-marks.ts';
import { formatFootprint } from '../../api/cluster/pod-place.ts';
import { clusterServes, type PodSettings } from '../../api/cluster/pod-settings.ts';
import type { BinName } from '../../domain/ids.ts';
import type { Resources } from '../../domain/resources.ts';
import { milliseconds } from '../../domain/units.ts';
import { findPodFault } from './find-pod-fault.ts';
import { ownVolumes, renderContainer, renderDownloads, RESTRICTED } from './render-container.ts';

/** What all pods of one preset are made from. */
export interface PodTemplate {
  readonly settings: PodSettings;
  /** Hash of everything that is rendered but what differs from replica to replica: a pod of another one is replaced. */
  readonly rendered: string;
  readonly serves: string;
  readonly namespace: string;
  /** A pod's name is this, a dash and its slot. */
  readonly baseName: string;
}

export type RenderedTemplate =
  | { readonly ok: true; readonly template: PodTemplate }
  | { readonly ok: false; readonly reason: 'InvalidPod'; readonly message: string };

/** What differs from replica to replica. */
export interface PodIdentity {
  readonly slot: number;
  /** Its llama-server's `--api-prefix`: nobody can guess it, so that a reused address never answers for another model. */
  readonly prefix: string;
  /** The part of its pool in which it is meant to lie, and what it takes of that. */
  readonly bin: BinName;
  readonly footprint: Resources;
}

/** A pod that can be sent to the API server. */
export type RenderedPod = JsonObject & {
  readonly metadata: JsonObject & { readonly namespace: string; readonly name: string };
};
type SamplePod = RenderedPod & { readonly metadata: { readonly annotations: JsonObject } };

/** The longest name whose pod keeps it as its host name. */
const LONGEST_NAME = 63;
const LONGEST_SLOT = 3;
const HASH_DIGITS = 10;
const NOBODY = 65_532;
/** Beyond the drain timeout: for the guard to see that the last request has ended, and for llama-server to end. */
const GUARD_SECONDS = 60;

/** Makes the template of a preset's pods, or says which field of the user's is not the user's to set. */
export function renderPodTemplate(settings: PodSettings): RenderedTemplate {
  const fault = findPodFault(settings);
  if (fault !== undefined) return { ok: false, reason: 'InvalidPod', message: fault };
  const { owner, preset, model, source, files } = settings;
  const template = {
    settings,
    serves: clusterServes(model, source, files),
    namespace: owner.namespace,
    baseName: baseNameOf(owner.uid, preset),
  };
  // A running pod keeps the grace it was made with: no edit of the timeout replaces one.
  const timeless = { ...settings, drainTimeout: milliseconds(0) };
  const sample = renderSample({ ...template, settings: timeless, rendered: '' }, { slot: 0, prefix: '/' });
  return { ok: true, template: { ...template, rendered: hashOf(sample) } };
}

/** The pod of one replica. Its gate is open. */
export function renderPod(template: PodTemplate, identity: PodIdentity): RenderedPod {
  const pod = renderSample(template, identity);
  const { bin, footprint } = identity;
  const place = { [ANNOTATION.bin]: bin, [ANNOTATION.footprint]: formatFootprint(footprint) };
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...place } } };
}

/** A pod but for its place, which replaces no pod when it changes. */
function renderSample(template: PodTemplate, { slot, prefix }: Pick<PodIdentity, 'slot' | 'prefix'>): SamplePod {
  const { settings } = template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${template.baseName}-${slot}`,
      namespace: template.namespace,
      labels: { ...settings.pod.labels, ...ownLabels(settings) },
      annotations: { ...settings.pod.annotations, ...ownAnnotations(template, prefix) },
      ownerReferences: [ownerReference(settings)],
    },
    spec: renderSpec(settings, prefix),
  };
}

/** Begins with the preset's name and is unique to its identity. */
function baseNameOf(ownerUid: string, preset: string): string {
  const hash = createHash('sha256').update(`${ownerUid}/${preset}`).digest('hex').slice(0, HASH_DIGITS);
  const room = LONGEST_NAME - HASH_DIGITS - LONGEST_SLOT - 2;
  return `${cutTo(preset, room)}-${hash}`;
}

/** At most so many characters, the last of which is a letter or digit, as Kubernetes wants it of names and labels. */
const cutTo = (text: string, length: number): string => text.slice(0, length).replace(/[^A-Za-z0-9]+$/u, '');

const ownLabels = ({ owner, preset, pool }: PodSettings): Record<string, string> => ({
  [LABEL.name]: LLAMA_SERVER,
  [LABEL.managedBy]: 'corral',
  [LABEL.deployment]: cutTo(owner.name, 63),
  [LABEL.preset]: preset,
  [LABEL.pool]: cutTo(pool, 63),
  [LABEL.controller]: OWN_CONTROLLER,
});

const ownAnnotations = ({ settings, rendered, serves }: PodTemplate, prefix: string): Record<string, string> => ({
  [ANNOTATION.pool]: settings.pool,
  [ANNOTATION.rendered]: rendered,
  [ANNOTATION.serves]: serves,
  [ANNOTATION.prefix]: prefix,
  [ANNOTATION.gate]: formatGate({ closed: false, epoch: 0 }),
});

const ownerReference = ({ owner }: PodSettings): JsonObject => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelDeployment',
  name: owner.name,
  uid: owner.uid,
  controller: true,
  blockOwnerDeletion: false,
});

function renderSpec(settings: PodSettings, prefix: string): JsonObject {
  const { pod } = settings;
  const before = [
    ...(pod.initContainers ?? []).map(restricted),
    ...(pod.sidecars ?? []).map(asSidecar),
    // Last: what the user's make or do may be needed for it, a volume or a way out.
    ...renderDownloads(settings),
  ];
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: Math.ceil(settings.drainTimeout / 1000) + GUARD_SECONDS,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NOBODY,
      runAsGroup: NOBODY,
      fsGroup: NOBODY,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
      ...pod.securityContext,
    },
    ...placement(settings),
    ...(before.length === 0 ? {} : { initContainers: before }),
    containers: [renderContainer(settings, prefix)],
    volumes: [...ownVolumes(settings), ...(pod.volumes ?? [])],
  };
}

/** What the pod takes over from the user as it is. */
function placement({ pod }: PodSettings): JsonObject {
  const { nodeSelector, tolerations, affinity, topologySpreadConstraints, runtimeClassName } = pod;
  const { priorityClassName, schedulerName, imagePullSecrets, resourceClaims } = pod;
  return defined({
    nodeSelector,
    tolerations,
    affinity,
    topologySpreadConstraints,
    runtimeClassName,
    priorityClassName,
    schedulerName,
    imagePullSecrets,
    resourceClaims,
  });
}

const defined = (fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));

/** A user's container, with what "restricted" asks of it where the user says nothing else. */
function restricted(container: JsonObject): JsonObject {
  const { securityContext = {} } = container;
  // Anything but an object is left for the API server to refuse.
  return {
    ...container,
    securityContext: isMap(securityContext) ? { ...RESTRICTED, ...securityContext } : securityContext,
  };
}

/** Runs before and beside the llama-server, and is ended after it (Kubernetes, "Sidecar Containers"). */
const asSidecar = (container: JsonObject): JsonObject => ({ ...restricted(container), restartPolicy: 'Always' });

const hashOf = (value: Json): string =>
  createHash('sha256')
    .update(JSON.stringify(inOrder(value)))
    .digest('hex');

/** The same with all keys sorted: their order means nothing. */
function inOrder(value: Json): Json {
  if (isList(value)) return value.map(inOrder);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, inOrder(item)]));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isMap = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !isList(value);
