import type { PresetUid } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Duration } from '../domain/units.ts';
import type { Blocked } from '../planner/action.ts';
import type { LoadFailure } from '../routing/route.ts';
import type { Standing } from '../routing/standing.ts';
import { waitsFor } from './describe-blocked.ts';
import type { FailureNote } from './failures.ts';

/** What the control loop knows of its presets beside their replicas. */
export interface StandingNotes {
  readonly pools: readonly Pool[];
  readonly orders: ReadonlyMap<PresetUid, Order>;
  /** Of those that have to wait now. */
  readonly backOffs: ReadonlyMap<PresetUid, FailureNote>;
  readonly loads: ReadonlyMap<PresetUid, Duration>;
  readonly blocked: readonly Blocked[];
}

/** How a preset stands with the planner, for the route table. */
export function standingOf(preset: Preset, notes: StandingNotes): Standing {
  const pool = notes.pools.find(({ name }) => name === preset.pool);
  const blocked = notes.blocked.find(({ preset: uid }) => uid === preset.uid);
  const note = notes.backOffs.get(preset.uid);
  return {
    notAccepted: undefined,
    pool: poolStanding(pool),
    backOff: note === undefined ? undefined : loadFailure(note),
    waitsFor: blocked === undefined ? undefined : waitsFor(blocked.reason),
    ordered: notes.orders.get(preset.uid)?.kind === 'load',
    lastLoad: notes.loads.get(preset.uid),
  };
}

function poolStanding(pool: Pool | undefined): Standing['pool'] {
  if (pool === undefined) return 'missing';
  return pool.paused ? 'paused' : 'open';
}

function loadFailure({ failure, count, until }: FailureNote): LoadFailure {
  const { code, reason, logTail, exitCode } = failure;
  return { code, reason, logTail, exitCode, failures: count, retryAt: until };
}
