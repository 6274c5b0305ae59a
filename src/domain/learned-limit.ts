import type { BinName, PoolName, PresetUid } from './ids.ts';
import type { Resources } from './resources.ts';
import type { Instant } from './units.ts';

/**
 * What the refusal of a scheduler has taught: with so much in use, a replica found no room, although by its bin's size it
 * should have. Others use the machines, too.
 */
export interface LearnedLimit {
  readonly pool: PoolName;
  readonly bin: BinName;
  /** Whose replica was refused. */
  readonly preset: PresetUid;
  /** What it needed: only a replica that needs as much of everything is refused for its sake. */
  readonly footprint: Resources;
  /** What was in use in the bin then, and what was refused, together. */
  readonly total: Resources;
  /** The same as a number of replicas, at least 1. */
  readonly replicas: number;
  /** Then it is tried again without anybody having left. */
  readonly until: Instant;
  /** Others have left for its sake already since the last such moment: nobody else does before `until`. */
  readonly spent: boolean;
}
