import type { BinName, PoolName, PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause } from '../domain/replica.ts';
import type { Resources } from '../domain/resources.ts';
import type { Instant } from '../domain/units.ts';

/** One order to a backend. Nothing is stopped that was not drained before. */
export type Action =
  | { readonly kind: 'start'; readonly preset: Preset; readonly bin: BinName }
  | { readonly kind: 'drain'; readonly replica: ReplicaId; readonly cause: DrainCause }
  /** Takes a drain back: it is wanted again, and has not been stopped yet. */
  | { readonly kind: 'cancel'; readonly replica: ReplicaId }
  | { readonly kind: 'stop'; readonly replica: ReplicaId };

/** Why a wanted preset is not started now. The first that holds, in this order. */
export type BlockedReason =
  | { readonly kind: 'PoolNotFound'; readonly pool: PoolName }
  | { readonly kind: 'PoolPaused'; readonly pool: PoolName }
  /** Nobody runs it as it is declared. */
  | { readonly kind: 'NotAccepted'; readonly reason: string; readonly message: string }
  /** Only an order loads it. */
  | { readonly kind: 'AutoloadOff' }
  | { readonly kind: 'BackOff'; readonly until: Instant }
  /** It fits into no bin, however empty. `largest`: the size of the bin that comes nearest. */
  | { readonly kind: 'TooLarge'; readonly footprint: Resources; readonly largest: Resources }
  /** What leaves, or is being stopped, is enough: these presets' replicas. */
  | { readonly kind: 'WaitingForDrain'; readonly leaving: readonly PresetUid[] }
  /** The scheduler has refused it, and nobody else leaves for it before `until`. */
  | { readonly kind: 'Unschedulable'; readonly until: Instant }
  /** There would be room, which is kept for one that waits longer. */
  | { readonly kind: 'Reserved'; readonly beneficiary: PresetUid }
  /** Idle models could leave for it, but are too young before `until`. */
  | { readonly kind: 'MinResidency'; readonly until: Instant }
  /** Nobody knows whether these are idle. */
  | { readonly kind: 'ActivityUnknown'; readonly presets: readonly PresetUid[] }
  /** These are in use and of a higher priority, which no waiting ends. */
  | { readonly kind: 'HigherPriority'; readonly holders: readonly PresetUid[] }
  /** These hold the room and are in use. */
  | { readonly kind: 'WaitingForCapacity'; readonly holders: readonly PresetUid[] };

export interface Blocked {
  readonly preset: PresetUid;
  readonly reason: BlockedReason;
  /** Its place among those of its pool that wait for room, the next one 1; `undefined`: room is not what it waits for. */
  readonly position: number | undefined;
}
