import type { ConditionReason } from '../api/cluster/conditions.ts';
import type { RefusalReason } from '../api/cluster/verdict.ts';
import type { LeaveReason } from '../domain/leaving.ts';
import type { FailureCode, TroubleCode } from '../domain/replica.ts';
import type { WaitReason } from '../domain/wait-reason.ts';
import type { EventReason } from './transitions.ts';

/*
 * The closed list of all reasons that Corral gives in a cluster. Whoever gives one has it from one of these unions, and a word
 * of a union that is not explained here does not compile. docs/reasons.md is written from it.
 */

/** One reason, for people: Markdown. */
export interface Explained {
  readonly means: string;
  /** What to do about it; nothing where nothing is wrong. */
  readonly remedy?: string;
  /** `code` of the error that clients get, where it is another than that of its list. */
  readonly error?: string;
}

/** Phase `Failed`: the last load has failed, or a loaded model has ended. */
export const FAILURES = {
  CreateRefused: {
    means:
      'the API server does not take the pod: pod security, a LimitRange, an admission policy or webhook, a field that it does not know, a feature gate that is off; or a webhook does not answer',
    remedy: 'correct `pod`, `resources` or the policy; its own words are in the message',
  },
  QuotaExceeded: {
    means:
      'a ResourceQuota of the namespace is used up, and still was 3 s after the pod was ordered: Kubernetes counts a moment later what has gone',
    remedy: 'let something else of the namespace end, raise the quota, or let the pod ask for less',
  },
  Unschedulable: {
    means: 'no node has room for the pod, in the words of the scheduler, and nobody else will leave for it',
    remedy: 'free a node, or let the pod ask for less ([more](operator.md#when-no-node-has-room))',
  },
  NoNode: {
    means:
      'no node takes the pod, whoever leaves, in the words of the scheduler: its PersistentVolumeClaim is missing or not bound, or no node is what it asks for',
    remedy: 'create the claim; correct `source`, `pod` or the nodes',
  },
  ImagePull: {
    means: 'an image cannot be pulled: of llama-server, of a container under `pod`, or of `source.image`',
    remedy: 'correct its name (`engine.image`, `source.image.reference`), the registry, or `pod.imagePullSecrets`',
  },
  ContainerConfig: {
    means:
      'a container cannot be made: a Secret, a ConfigMap or a key of one that `env`, `envFrom` or `tokenSecretRef` names is missing, its user is root, its program is not in the image, or the node cannot mount the image of `source.image`',
    remedy:
      'create what is missing, or correct the name; the words of the node are in the message ([images](cluster.md#a-model-in-an-image))',
  },
  DownloadFailed: {
    means: 'a file of `source.url` could not be downloaded, or is another one than its `sha256` says',
    remedy: 'read the last words of the download: a wrong URL or sum, a full volume, no way out to the server',
  },
  InitFailed: {
    means: 'a container of `pod.initContainers` has failed, so that llama-server never began',
    remedy: 'read its log: `kubectl logs` with `-c` and its name, while the pod is there; correct it',
  },
  ProvisionTimeout: {
    means:
      'llama-server was not running within `scaling.provisionTimeout`: images, volumes, init containers or the API server took too long',
    remedy: 'read the message, which has what the node said last; raise the timeout where all that is needed is time',
  },
  LoadTimeout: {
    means: 'llama-server ran, and was not ready (again) within `scaling.loadTimeout`',
    remedy: 'raise the timeout, in which llama-server also downloads a `source.huggingFace`; or choose a smaller model',
  },
  OOMKilled: {
    means: 'the container has no more memory',
    remedy: 'raise `resources.limits.memory`, or lower `--ctx-size` or `--parallel`',
  },
  CrashedOnLoad: {
    means:
      'llama-server has ended before it was ready: no such file, no GGUF, an option that it does not know, too little GPU memory',
    remedy: 'read its last lines in the message; correct `source` or `args`',
  },
  Crashed: {
    means: 'llama-server has ended while it served. Once, it is tried again at once; then after a back-off',
    remedy: 'read its last lines in the message',
  },
  EndedByNode: {
    means: 'the node has thrown the pod out or refused it: it is short of memory or disk, or shuts down',
    remedy: 'give the pod `resources.requests` that hold, or free the node',
  },
  NodeLost: {
    means:
      'the node is gone, since its Node object was deleted and Kubernetes has removed its pods ([more](cluster.md#when-somebody-deletes-a-node)), or nobody has heard of it for as long as `scaling.loadTimeout`. Requests in flight there are cut: nobody can promise otherwise',
    remedy:
      'nothing where it was deleted: the next request loads the model elsewhere. Else bring the node back, or delete it from the cluster',
  },
} as const satisfies Record<FailureCode, Explained>;

/** Phase `Loading`: it is on its way, and does not get on. */
export const TROUBLES = {
  Unschedulable: {
    means: 'no node has room for the pod so far. After `capacity.unschedulableAfter` that counts as no room',
    remedy: 'wait for the autoscaler, if there is one; else as when it has failed',
  },
  NoNode: {
    means: 'no node takes the pod so far, whoever leaves: for instance its PersistentVolumeClaim is missing',
    remedy: 'as when it has failed',
  },
  NotStarting: {
    means:
      'its node does not get to its containers: a volume is not mounted since its Secret, ConfigMap or disk is missing or still elsewhere, the network is not ready, or a sidecar ends again and again. In the words of the newest Event of the pod, for which Corral asks',
    remedy:
      'create or correct what the message names. Corral waits until `scaling.provisionTimeout` ends: a disk may take minutes to change nodes',
  },
  NodeLost: {
    means:
      'Kubernetes hears nothing of its node: it says so about 50 s after the last word. The pod keeps its place, since it may still run, until `scaling.loadTimeout` ends',
    remedy:
      'bring the node back, or delete it from the cluster: about a minute later its pods are gone, and the model is loaded elsewhere',
  },
} as const satisfies Record<TroubleCode, Explained>;

/** Phase `Waiting`: it is wanted, and is not started now. */
export const WAITS = {
  PoolNotFound: {
    means: 'the ModelPool does not exist',
    remedy: 'create it, or name another',
    error: 'pool_not_found',
  },
  PoolPaused: { means: 'the ModelPool is paused', remedy: 'wait, or set `paused: false`', error: 'pool_paused' },
  NotAccepted: {
    means: 'it is not run as it is declared',
    remedy: 'read the condition `PresetsAccepted`',
    error: 'model_not_accepted',
  },
  AutoloadOff: {
    means: '`scaling.autoload` is off: requests do not load it',
    remedy: 'order it: `POST /models/load`',
    error: 'model_not_loaded',
  },
  BackOff: {
    means:
      'its last load has failed; it is tried again after 10 s, doubling to 5 min, and at once after a changed spec',
    remedy: 'read the message',
    error: 'model_load_failed',
  },
  TooLarge: {
    means: 'its `footprint` is larger than every part of the pool, however empty. Also in the phase `Unloaded`',
    remedy: 'lower it if it is too high, or make `capacity.resources` larger',
    error: 'model_too_large',
  },
  WaitingForDrain: {
    means: 'other models finish what they have in flight and stop',
    remedy: 'wait. Where a pod stays in `Terminating`, its node is lost',
  },
  Unschedulable: {
    means: 'the scheduler has found no node for as much; it is tried again after a back-off',
    remedy: 'free a node, or let the pod ask for less',
  },
  Reserved: { means: 'what is free is kept for a model whose turn comes first', remedy: 'wait' },
  MinResidency: {
    means: 'idle models are in the way that were loaded less than `eviction.minResidency` ago',
    remedy: 'wait, or lower it',
  },
  ActivityUnknown: {
    means: 'nobody knows whether the loaded models are in use: an edge is silent, or there is none',
    remedy: 'look at the pods of the edge',
  },
  HigherPriority: {
    means: 'those in use have a higher `priority`, which no waiting ends',
    remedy: 'wait until they are idle, raise the priority, or make the pool larger',
  },
  WaitingForCapacity: {
    means: 'every loaded model of the pool is in use, or protected by its `minReplicas`',
    remedy: 'wait, or make the pool larger',
  },
} as const satisfies Record<WaitReason, Explained>;

/** A preset that is not run as it is declared. */
export const REFUSALS = {
  NameConflict: {
    means: 'another ModelDeployment has the name already, and keeps it. Other names of the preset reach it',
    remedy: 'rename one',
    error: 'none: the name leads to the other one',
  },
  PoolNotFound: { means: 'the ModelPool does not exist', remedy: 'create it, or name another in `spec.pool`' },
  PoolNotAllowed: {
    means: 'the ModelPool does not allow this namespace',
    remedy: 'use another one, or have `allowedNamespaces` changed',
  },
  PriorityNotAllowed: { means: "its `priority` is above the pool's `maxPriority`", remedy: 'lower it, or raise that' },
  FootprintMissing: {
    means: 'the pool counts resources, and the preset says nothing of them',
    remedy: 'set `footprint` or `resources.limits` to what a replica takes',
  },
  UnknownResource: {
    means: 'the preset names a resource in `footprint` that the pool does not count',
    remedy: 'name one of `capacity.resources`, or add it there',
  },
  InvalidArguments: {
    means: '`args`, with what they inherit, contradict each other',
    remedy: 'correct the spec; the option is in the message',
  },
  InvalidPod: {
    means: 'something under `pod` or `env` is for Corral to set, or the pod would have no image',
    remedy: 'correct the spec; the field is in the message',
  },
} as const satisfies Record<RefusalReason, Explained>;

/** Phases `Draining` and `Stopping`: it is on its way out. */
export const LEAVINGS = {
  Idle: { means: 'nobody has used it for its `idleTimeout`' },
  Surplus: { means: 'its requests need fewer replicas' },
  Evicted: { means: 'it makes room for another model, which `evictedFor` names' },
  Removed: { means: 'it is not declared any more, or not accepted' },
  Changed: { means: 'what it runs has been changed: a new pod comes' },
  Ordered: { means: 'somebody has ordered it to be unloaded' },
  PoolPaused: { means: 'its ModelPool is paused' },
  CapacityLowered: { means: 'its ModelPool holds fewer models now' },
  PodDeleted: {
    means:
      'somebody has deleted its pod: by hand, `kubectl drain`, a taint or a preemption, if Kubernetes says so in the message',
    remedy: 'nothing: the next request loads it again, once the pod is gone',
  },
  NodeLost: {
    means:
      'its pod is being deleted, and its node does not answer. The pod keeps its name and its place until it is gone',
    remedy:
      'bring the node back, or delete it from the cluster; where the machine is surely off, `kubectl delete pod --force`',
  },
  Failed: { means: 'it has failed, and what is left of it is being removed', remedy: 'read the Event' },
} as const satisfies Record<LeaveReason, Explained>;

/** Of the conditions of a ModelDeployment and a ModelPool, beside the reasons of its first preset with something to say. */
export const CONDITIONS = {
  Accepted: { means: 'the spec is used; every preset is accepted' },
  InvalidSpec: {
    means: 'the spec cannot be read: it was written under a CRD of another version',
    remedy: 'apply the CRDs of this version, and the object again',
  },
  NoPresetAccepted: { means: 'none of its presets is accepted', remedy: 'read `PresetsAccepted`' },
  Ready: { means: 'every accepted preset is loaded, or is loaded when it is asked for' },
  PartlyAccepted: { means: 'the same, and other presets are not accepted', remedy: 'read `PresetsAccepted`' },
  PoolPaused: { means: 'the ModelPool is paused', remedy: 'wait, or set `paused: false`' },
  LoadFailed: {
    means: 'presets are in the phase `Failed`: all of them are named',
    remedy: 'see [below](#it-has-failed)',
  },
  TooLarge: { means: 'presets fit into no part of the pool: all of them are named', remedy: 'see [below](#it-waits)' },
  NoEdge: { means: 'no edge is alive, so that no request reaches a model', remedy: 'look at the pods of the edge' },
} as const satisfies Record<Exclude<ConditionReason, TroubleCode | RefusalReason>, Explained>;

/** Of Events, beside those of a preset that is refused. */
export const EVENTS = {
  Started: { means: 'a pod is created' },
  Loaded: { means: 'it is ready; after how long' },
  Unloaded: { means: 'its pod is gone, and why' },
  Evicted: { means: 'its pod is gone, and for which model' },
  Failed: {
    means: 'a load has failed, or a loaded model has ended; the reason in words',
    remedy: 'see [above](#it-has-failed)',
  },
  Unschedulable: {
    means: 'no node takes its pod, which is deleted and tried again; the words of the scheduler',
    remedy: 'see [above](#it-waits)',
  },
  PresumedDead: {
    means:
      'its pod is stopped without the word of the edges that the message names: they have been silent for 10 s, and the slots of the pod were seen idle twice',
    remedy:
      'look at these edges: they hang, or do not reach the API server ([more](operator.md#an-edge-that-is-silent))',
  },
} as const satisfies Record<Exclude<EventReason, RefusalReason>, Explained>;
