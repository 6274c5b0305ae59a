import type { PoolName } from './ids.ts';
import type { Duration } from './units.ts';

/** What presets of one pool compete for, and how. Times are in milliseconds. */
export interface Pool {
  readonly name: PoolName;
  /** Replicas that may hold capacity at once; 0: no limit (as llama-server's `--models-max`). */
  readonly maxLoaded: number;
  /** Nothing is started, all is drained, waiters are told so. */
  readonly paused: boolean;
  /** An idle replica is left alone for this long after it became ready. */
  readonly minResidency: Duration;
  /** A preset wanted for longer than this makes busy replicas drain for it; 0: never. */
  readonly fairAfter: Duration;
}
