import type { BinName, PoolName, PresetUid, ReplicaId } from './ids.ts';
import type { Resources } from './resources.ts';
import type { Duration, Instant } from './units.ts';

/** Where a llama-server answers. `prefix` is its unguessable `--api-prefix`: a reused port never answers for another model. */
export interface Endpoint {
  /** For instance `http://127.0.0.1:41234`. */
  readonly origin: string;
  /** Starts with a slash and does not end with one. */
  readonly prefix: string;
}

/** Why a replica drains. */
export type DrainCause =
  | { readonly kind: 'idle' }
  /** Its preset has more replicas than its requests need. */
  | { readonly kind: 'surplus' }
  | { readonly kind: 'evicted'; readonly beneficiary: PresetUid }
  | { readonly kind: 'fairness'; readonly beneficiary: PresetUid }
  | { readonly kind: 'removed' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'ordered' }
  | { readonly kind: 'paused' }
  /** The pool's limit was lowered below what is loaded. */
  | { readonly kind: 'capacity' }
  /** Somebody else has deleted it: in a cluster only. `words`: what Kubernetes has done so for. */
  | { readonly kind: 'deleted'; readonly words?: string }
  /** The same, and its node does not answer any more. */
  | { readonly kind: 'nodeLost' }
  /** It has failed, was noted and forgotten, and what is left of it is being removed. */
  | { readonly kind: 'failed' };

/** What kind of end it was, in one word, for programs. What each means is in `src/operator/reasons.ts`. */
const FAILURE_CODES = [
  /** It could not be started at all: refused by the API server, or no program, port or argument to start it with. */
  'CreateRefused',
  /** Its namespace may not have so much: in a cluster only, as are all up to `ProvisionTimeout`. */
  'QuotaExceeded',
  /** No node has room for its pod, which others could make. */
  'Unschedulable',
  /** No node takes its pod, whoever leaves: its claim is missing, or no node is what it asks for. */
  'NoNode',
  'ImagePull',
  /** Its container cannot be made, for instance because a Secret is missing. */
  'ContainerConfig',
  /** A file of the model could not be downloaded before its llama-server. */
  'DownloadFailed',
  /** A container that has to run before its llama-server has failed. */
  'InitFailed',
  /** It was not running within its provision timeout. */
  'ProvisionTimeout',
  /** It ran and was not ready within its load timeout. */
  'LoadTimeout',
  'OOMKilled',
  'CrashedOnLoad',
  /** It had been ready. */
  'Crashed',
  /** Its node has thrown it out or refused it: in a cluster only, as is the next one. */
  'EndedByNode',
  /** Nobody has heard of its node for as long as a load may take, or the node is gone. */
  'NodeLost',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/** Whether a word of a status is one of these. */
export const isFailureCode = (word: string): word is FailureCode => FAILURE_CODES.some((code) => code === word);

/** Why a replica ended without an order. */
export interface Failure {
  readonly code: FailureCode;
  /** One sentence for the client and the log: what happened. */
  readonly reason: string;
  /** The process's exit code, where it has exited by itself. */
  readonly exitCode: number | undefined;
  /** The last lines it wrote, oldest first. */
  readonly logTail: readonly string[];
  readonly at: Instant;
  /** When it was started, or seen for the first time if others have started it; `undefined`: another process has seen it. */
  readonly startedAt: Instant | undefined;
  /** How long it had been ready; `undefined`: it never was, so this is a failed load and not a crash. */
  readonly readyFor: Duration | undefined;
}

/** What keeps a replica that is starting from getting on, while nobody has given up on it: in a cluster only. */
const TROUBLE_CODES = ['Unschedulable', 'NoNode', 'NotStarting', 'NodeLost'] as const;
export type TroubleCode = (typeof TROUBLE_CODES)[number];

/** Whether a word of a status is one of these. */
export const isTroubleCode = (word: string): word is TroubleCode => TROUBLE_CODES.some((code) => code === word);

export interface Trouble {
  readonly code: TroubleCode;
  /** One clause: what is known. */
  readonly words: string;
}

/**
 * | state    | serves new requests | holds capacity |
 * |----------|---------------------|----------------|
 * | starting | no                  | yes            |
 * | ready    | yes                 | yes            |
 * | draining | no, finishes its own| yes            |
 * | stopping | no                  | yes, until the process has exited |
 * | failed   | no                  | no             |
 *
 * A replica that was stopped by order and has exited is in no state: it is not observed any more.
 */
export type ReplicaState =
  | { readonly kind: 'starting'; readonly since: Instant; readonly trouble?: Trouble }
  | {
      readonly kind: 'ready';
      readonly since: Instant;
      /** From its start until it was ready; `undefined`: nobody knows, who has not seen it. */
      readonly loadTime: Duration | undefined;
      readonly endpoint: Endpoint;
    }
  | { readonly kind: 'draining'; readonly since: Instant; readonly cause: DrainCause }
  | { readonly kind: 'stopping'; readonly since: Instant; readonly cause: DrainCause }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** One llama-server, whichever backend runs it. Carries what stays true when its preset is gone. */
export interface Replica {
  readonly id: ReplicaId;
  readonly preset: PresetUid;
  readonly pool: PoolName;
  /** Where it lies, or is meant to; `undefined`: nobody knows, and it counts in every bin. */
  readonly bin: BinName | undefined;
  /** `Preset.footprint` at its start. While its preset is declared as it was then, what that says now counts. */
  readonly footprint: Resources;
  /** `Preset.rendered` at its start. */
  readonly rendered: string;
  /** `Preset.serves` at its start. */
  readonly serves: string;
  readonly state: ReplicaState;
}

/** Everything but failed: also a stopping replica holds its share until it is gone. */
export const holdsCapacity = ({ state }: Pick<Replica, 'state'>): boolean => state.kind !== 'failed';

/** Serves, or will: it exists and is not on its way out. */
export const isLive = ({ state }: Pick<Replica, 'state'>): boolean =>
  state.kind === 'starting' || state.kind === 'ready';

/** Why it is on its way out; `undefined`: it is not. */
export const causeOf = ({ state }: Pick<Replica, 'state'>): DrainCause | undefined =>
  state.kind === 'draining' || state.kind === 'stopping' ? state.cause : undefined;
