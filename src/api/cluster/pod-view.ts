import Type from 'typebox';
import { Value } from 'typebox/value';
import type { BinName, PresetUid } from '../../domain/ids.ts';
import type { DrainCause, Endpoint } from '../../domain/replica.ts';
import type { Resources } from '../../domain/resources.ts';
import {
  ANNOTATION,
  LABEL,
  LLAMA_PORT,
  LLAMA_SERVER,
  OWN_CONTROLLER,
  parseDrainCause,
  parseGate,
  type Gate,
} from './pod-marks.ts';
import { readBin, readFootprint } from './pod-place.ts';
import { clusterPresetUid } from './pod-settings.ts';

const Message = { reason: Type.Optional(Type.String()), message: Type.Optional(Type.String()) };

const ContainerState = Type.Object({
  waiting: Type.Optional(Type.Object(Message)),
  running: Type.Optional(Type.Object({})),
  terminated: Type.Optional(Type.Object({ exitCode: Type.Integer(), ...Message })),
});

const ContainerStatuses = Type.Optional(
  Type.Array(Type.Object({ name: Type.String(), state: Type.Optional(ContainerState) })),
);

/** Of a pod's status, what Corral reads (Kubernetes API, core/v1 PodStatus). All of it is missing at first. */
const Status = Type.Object({
  phase: Type.Optional(Type.String()),
  ...Message,
  podIP: Type.Optional(Type.String()),
  conditions: Type.Optional(
    Type.Array(
      Type.Object({
        type: Type.String(),
        status: Type.String(),
        lastTransitionTime: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        ...Message,
      }),
    ),
  ),
  initContainerStatuses: ContainerStatuses,
  containerStatuses: ContainerStatuses,
});
type Status = Type.Static<typeof Status>;

/** What a container is doing; `unknown`: the kubelet has not said. */
export type ContainerView = { readonly name: string } & (
  | { readonly kind: 'unknown' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'terminated'; readonly exitCode: number; readonly reason: string; readonly message: string }
);

/** A pod of Corral's, as operator and edges see it. */
export interface PodView {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly resourceVersion: string;
  readonly preset: PresetUid;
  /** The uid of the ModelDeployment that owns it. */
  readonly ownerUid: string;
  readonly pool: string;
  /** The part of its pool that it was made for; `undefined`: it does not say. */
  readonly bin: BinName | undefined;
  readonly footprint: Resources;
  /** Empty where somebody has removed it: then it matches nothing that is declared. So with `serves`. */
  readonly rendered: string;
  readonly serves: string;
  /** `undefined`: unreadable, and nobody may send it anything. */
  readonly gate: Gate | undefined;
  readonly drainCause: DrainCause | undefined;
  /** Somebody has deleted it; it lasts until its containers have ended. */
  readonly deleting: boolean;
  readonly phase: string;
  /** Why it is in its phase, where the kubelet or a controller says so, for instance `Evicted`. */
  readonly reason: string;
  readonly message: string;
  /** Where it answers, while it does. */
  readonly endpoint: Endpoint | undefined;
  /** Where its llama-server can be asked, ready or not; `undefined`: nowhere yet. */
  readonly address: Endpoint | undefined;
  /**
   * From its creation until it was ready, by the cluster's clocks, in milliseconds; only while it is ready. Until it was so again, where it was not
   * for a while: Kubernetes keeps the last time only.
   */
  readonly loadMs: number | undefined;
  /** The scheduler's words why no node takes it; `undefined`: it has not said that. */
  readonly unschedulable: string | undefined;
  /** Whether a node takes it. */
  readonly scheduled: boolean;
  /** Kubernetes hears nothing of its node. */
  readonly nodeLost: boolean;
  /** Who of Kubernetes ends it, and why, in its own words; `undefined`: nobody has said so. */
  readonly disruption: { readonly reason: string; readonly message: string } | undefined;
  readonly server: ContainerView;
  /** Init containers and sidecars. */
  readonly others: readonly ContainerView[];
}

/** What of an object's metadata is read. The rest is not looked at. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
  };
  readonly [field: string]: unknown;
}

/**
 * Reads a pod; `undefined`: no ModelDeployment controls it, or another install of Corral runs it, so that it is none of ours,
 * whatever its other labels say. A status that is not understood is read as none: then the pod is not ready, and holds what it
 * holds.
 */
export function viewPod(object: PodObject): PodView | undefined {
  const { metadata } = object;
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find((reference) => reference.controller === true && isModelDeployment(reference));
  const preset = labels[LABEL.preset];
  if (owner === undefined || preset === undefined || isOfAnother(labels)) return undefined;
  const status = readStatus(object['status']);
  const deleting = metadata.deletionTimestamp !== undefined;
  return {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    resourceVersion: metadata.resourceVersion,
    preset: clusterPresetUid(owner.uid, preset),
    ownerUid: owner.uid,
    ...marksOf(annotations),
    bin: readBin(annotations),
    footprint: readFootprint(annotations, object['spec']),
    deleting,
    ...wordsOf(status),
    endpoint: deleting || !isReady(status) ? undefined : addressOf(status, annotations[ANNOTATION.prefix]),
    address: addressOf(status, annotations[ANNOTATION.prefix]),
    loadMs: loadTimeOf(status, metadata.creationTimestamp),
    unschedulable: unschedulableMessage(status),
    scheduled: findCondition(status, 'PodScheduled')?.status === 'True',
    nodeLost: isNodeLost(status),
    disruption: disruptionOf(status),
    ...containersOf(status),
  };
}

function wordsOf({
  phase = 'Pending',
  reason = '',
  message = '',
}: Status): Pick<PodView, 'phase' | 'reason' | 'message'> {
  return { phase, reason, message };
}

/** One that does not say whose it is belongs to us. */
const isOfAnother = ({ [LABEL.controller]: controller = OWN_CONTROLLER }: Readonly<Record<string, string>>): boolean =>
  controller !== OWN_CONTROLLER;

export const isModelDeployment = ({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): boolean => kind === 'ModelDeployment' && apiVersion.startsWith('corral.dev/');

const readStatus = (status: unknown): Status => (Value.Check(Status, status) ? status : {});

function marksOf(
  annotations: Readonly<Record<string, string>>,
): Pick<PodView, 'pool' | 'rendered' | 'serves' | 'gate' | 'drainCause'> {
  const { [ANNOTATION.pool]: pool = '', [ANNOTATION.rendered]: rendered = '' } = annotations;
  const { [ANNOTATION.serves]: serves = '', [ANNOTATION.gate]: gate } = annotations;
  const drainCause = parseDrainCause(annotations[ANNOTATION.drainCause], annotations[ANNOTATION.drainFor]);
  return { pool, rendered, serves, gate: parseGate(gate), drainCause };
}

type Condition = NonNullable<Status['conditions']>[number];

const findCondition = ({ conditions = [] }: Status, type: string): Condition | undefined =>
  conditions.find((condition) => condition.type === type);

const isReady = (status: Status): boolean =>
  status.phase === 'Running' && findCondition(status, 'Ready')?.status === 'True';

function addressOf({ podIP = '' }: Status, prefix: string | undefined): Endpoint | undefined {
  if (podIP === '' || prefix === undefined) return undefined;
  const host = podIP.includes(':') ? `[${podIP}]` : podIP;
  return { origin: `http://${host}:${LLAMA_PORT}`, prefix };
}

/** Both times are the cluster's own, to the second, and never compared with a clock of ours. */
function loadTimeOf(status: Status, created: string): number | undefined {
  const at = findCondition(status, 'Ready')?.lastTransitionTime;
  if (!isReady(status) || typeof at !== 'string') return undefined;
  const elapsed = Date.parse(at) - Date.parse(created);
  return Number.isNaN(elapsed) ? undefined : Math.max(0, elapsed);
}

function unschedulableMessage(status: Status): string | undefined {
  const condition = findCondition(status, 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return undefined;
  return condition.message ?? '';
}

/**
 * Where a node is heard of no more, the node controller takes back that its pods are ready, and nothing else; a kubelet never
 * says one without the other of a pod without readiness gates (Kubernetes v1.34, pkg/controller/util/node, MarkPodsNotReady, and
 * pkg/kubelet/status/generate.go). `NodeLost` is the word of older versions.
 */
const isNodeLost = (status: Status): boolean =>
  status.reason === 'NodeLost' ||
  status.phase === 'Unknown' ||
  (findCondition(status, 'Ready')?.status === 'False' && findCondition(status, 'ContainersReady')?.status === 'True');

function disruptionOf(status: Status): PodView['disruption'] {
  const condition = findCondition(status, 'DisruptionTarget');
  if (condition?.status !== 'True') return undefined;
  const { reason = '', message = '' } = condition;
  return { reason, message };
}

function containersOf({
  containerStatuses = [],
  initContainerStatuses = [],
}: Status): Pick<PodView, 'server' | 'others'> {
  const all = [...initContainerStatuses, ...containerStatuses].map(viewContainer);
  const server = all.find(({ name }) => name === LLAMA_SERVER);
  return {
    server: server ?? { name: LLAMA_SERVER, kind: 'unknown' },
    others: all.filter((container) => container !== server),
  };
}

function viewContainer({ name, state = {} }: NonNullable<Status['containerStatuses']>[number]): ContainerView {
  const { waiting, running, terminated } = state;
  if (terminated !== undefined) {
    const { exitCode, reason = '', message = '' } = terminated;
    return { name, kind: 'terminated', exitCode, reason, message };
  }
  if (running !== undefined) return { name, kind: 'running' };
  if (waiting === undefined) return { name, kind: 'unknown' };
  const { reason = '', message = '' } = waiting;
  return { name, kind: 'waiting', reason, message };
}
