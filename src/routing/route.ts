import type { ModelName, PoolName, PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Endpoint, FailureCode, Trouble } from '../domain/replica.ts';
import type { Duration, Instant } from '../domain/units.ts';
import type { WaitReason } from '../domain/wait-reason.ts';

/** A ready replica whose gate is open. */
export interface ReadyReplica {
  readonly id: ReplicaId;
  readonly endpoint: Endpoint;
}

/** What routing needs to know of a preset: all but what a backend runs for it, and what that takes. */
export type RoutedPreset = Omit<Preset, 'launch' | 'rendered' | 'footprint'>;

/** What a preset is doing, for the list of models and for messages. */
export type Phase =
  | { readonly kind: 'unloaded' }
  | ({ readonly kind: 'waiting' } & Waits)
  /** `trouble`: what it does not get over. */
  | { readonly kind: 'loading'; readonly trouble?: Trouble }
  | { readonly kind: 'ready' }
  /** `cause`: why the first of its replicas goes, where that is known. */
  | { readonly kind: 'draining'; readonly cause?: DrainCause }
  | { readonly kind: 'stopping'; readonly cause?: DrainCause }
  /** Not started again before `retryAt`. */
  | ({ readonly kind: 'failed' } & LoadFailure);

/** Why a wanted preset is not started now. */
export interface Waits {
  readonly reason: WaitReason;
  /** What it waits for, in words for a client: the end of the sentence "it waits for …". */
  readonly because: string;
  /** Its place in the queue of its pool, the next one 1; missing where room is not what it waits for, or nobody has told. */
  readonly position?: number;
}

/** What is known of a preset's last failed load, while it is not tried again. */
export interface LoadFailure {
  readonly code?: FailureCode;
  /** One sentence. */
  readonly reason: string;
  /** The last lines llama-server wrote, oldest first. */
  readonly logTail: readonly string[];
  readonly exitCode: number | undefined;
  /** Failures in a row, at least 1. */
  readonly failures: number;
  readonly retryAt: Instant;
}

/** Why a request for a model that is not ready is refused at once instead of held. */
export type Refusal =
  /** Nobody will run it as it is declared. `reason` is one word of a closed list. */
  | { readonly kind: 'not-accepted'; readonly reason: string; readonly message: string }
  | ({ readonly kind: 'load-failed' } & LoadFailure)
  | { readonly kind: 'pool-paused'; readonly pool: string }
  | { readonly kind: 'pool-not-found'; readonly pool: string }
  | { readonly kind: 'autoload-off' }
  /** It fits into no bin of its pool. `because`: what it needs, or would need to wait for. */
  | { readonly kind: 'too-large'; readonly because: string };

/** Where requests for one preset go. Immutable; a new table carries new routes. */
export interface Route {
  readonly uid: PresetUid;
  readonly preset: RoutedPreset;
  readonly phase: Phase;
  /** Empty: hold the request, unless `refusal` says why not. */
  readonly replicas: readonly ReadyReplica[];
  /** The pools in which its replicas hold capacity, each once: also those that leave. */
  readonly holds: readonly PoolName[];
  readonly refusal: Refusal | undefined;
  /** How long its last load took: so long the next one is expected to take. */
  readonly lastLoad: Duration | undefined;
}

/** All routes at one moment. A name that nobody declares is missing: `find` answers `undefined` and changes nothing. */
export interface RouteTable {
  find(name: ModelName): Route | undefined;
  findByUid(uid: PresetUid): Route | undefined;
  /** In the order of the catalog. */
  readonly routes: readonly Route[];
}

/** Where the control loop publishes and the edge reads. The hot path never locks, waits or inserts. */
export interface RouteBoard {
  read(): RouteTable;
  publish(next: RouteTable): void;
  /** Calls back in the same tick, after each publication. */
  onPublish(callback: (table: RouteTable) => void): void;
}
