import type { PoolName, PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';

/** One order to a backend. Nothing is stopped that was not drained before. */
export type Action =
  | { readonly kind: 'start'; readonly preset: Preset }
  | { readonly kind: 'drain'; readonly replica: ReplicaId; readonly cause: DrainCause }
  /** Takes a drain back: it is wanted again, and has not been stopped yet. */
  | { readonly kind: 'cancel'; readonly replica: ReplicaId }
  | { readonly kind: 'stop'; readonly replica: ReplicaId };

/** Why a wanted preset is not started now. */
export type BlockedReason =
  | { readonly kind: 'WaitingForDrain' }
  | { readonly kind: 'WaitingForCapacity' }
  | { readonly kind: 'BackOff'; readonly until: Instant }
  | { readonly kind: 'PoolNotFound'; readonly pool: PoolName }
  | { readonly kind: 'PoolPaused'; readonly pool: PoolName };

export interface Blocked {
  readonly preset: PresetUid;
  readonly reason: BlockedReason;
}
