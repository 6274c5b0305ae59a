import { binName, type BinName, type PoolName } from './ids.ts';
import { covers, type Resources } from './resources.ts';
import type { Duration } from './units.ts';

/** A part of a pool. A replica lies in one bin, and so do all that leave for it. */
export interface Bin {
  readonly name: BinName;
  /** What fits: nothing of a resource that is missing here. `undefined`: nobody knows, and the scheduler is the judge. */
  readonly size: Resources | undefined;
}

/** Whether a bin has room for so much when it is empty, as far as anybody knows. */
export const couldHold = ({ size }: Bin, need: Resources): boolean => size === undefined || covers(size, need);

/** The bin of a pool that is not divided. */
export const WHOLE_POOL: BinName = binName('pool');

/**
 * Who leaves first, of the idle ones of one priority. `LRUByIdle`: who has been idle longest. `IdleBySize`: by the time it has been
 * idle, times the square of its share of its bin, so that what gives much room for one load lost leaves before what gives little.
 */
export const EVICTION_POLICIES = ['LRUByIdle', 'IdleBySize'] as const;
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

/** What presets of one pool compete for, and how. Times are in milliseconds. */
export interface Pool {
  readonly name: PoolName;
  /** Replicas that may hold capacity at once; 0: no limit (as llama-server's `--models-max`). */
  readonly maxLoaded: number;
  /** Where its replicas lie, each with a name of its own. None: nothing fits. */
  readonly bins: readonly Bin[];
  readonly eviction: EvictionPolicy;
  /** Nothing is started, all is drained, waiters are told so. */
  readonly paused: boolean;
  /** An idle replica is left alone for this long after it became ready. */
  readonly minResidency: Duration;
  /** A preset wanted for longer than this makes busy replicas drain for it; 0: never. */
  readonly fairAfter: Duration;
}
