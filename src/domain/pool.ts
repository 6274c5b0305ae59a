import { binName, type BinName, type PoolName } from './ids.ts';
import type { Resources } from './resources.ts';
import type { Duration } from './units.ts';

/** A part of a pool. A replica lies in one bin, and so do all that leave for it. */
export interface Bin {
  readonly name: BinName;
  /** What fits: nothing of a resource that is missing here. `undefined`: nobody knows, and the scheduler is the judge. */
  readonly size: Resources | undefined;
}

/** The bin of a pool that is not divided. */
export const WHOLE_POOL: BinName = binName('pool');

/** What presets of one pool compete for, and how. Times are in milliseconds. */
export interface Pool {
  readonly name: PoolName;
  /** Replicas that may hold capacity at once; 0: no limit (as llama-server's `--models-max`). */
  readonly maxLoaded: number;
  /** Where its replicas lie, each with a name of its own. None: nothing fits. */
  readonly bins: readonly Bin[];
  /** Nothing is started, all is drained, waiters are told so. */
  readonly paused: boolean;
  /** An idle replica is left alone for this long after it became ready. */
  readonly minResidency: Duration;
  /** A preset wanted for longer than this makes busy replicas drain for it; 0: never. */
  readonly fairAfter: Duration;
}
