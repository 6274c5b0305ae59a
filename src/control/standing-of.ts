import type { PoolName, PresetUid } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Duration } from '../domain/units.ts';
import type { Blocked } from '../planner/action.ts';
import type { LoadFailure } from '../routing/route.ts';
import type { Standing } from '../routing/standing.ts';
import { waitsFor, type Words } from './describe-blocked.ts';
import type { FailureNote } from './failures.ts';
import type { Rejections } from './learned-limits.ts';

/** What the control loop knows of its presets beside their replicas. */
export interface StandingNotes {
  readonly pools: ReadonlyMap<PoolName, Pool>;
  readonly orders: ReadonlyMap<PresetUid, Order>;
  /** Of those that have to wait now. */
  readonly backOffs: ReadonlyMap<PresetUid, FailureNote>;
  /** Of those for which the scheduler has found no place, while it is not tried again. */
  readonly rejections: Rejections;
  readonly loads: ReadonlyMap<PresetUid, Duration>;
  /** By their presets. */
  readonly blocked: ReadonlyMap<PresetUid, Blocked>;
  readonly words: Words;
}

/** How a preset stands with the planner, for the route table. */
export function standingOf(preset: Preset, notes: StandingNotes): Standing {
  const blocked = notes.blocked.get(preset.uid);
  return {
    notAccepted: undefined,
    pool: poolStanding(notes.pools.get(preset.pool)),
    backOff: backOffOf(preset.uid, notes),
    waitsFor: blocked === undefined ? undefined : waitsFor(blocked, notes.words),
    ordered: notes.orders.get(preset.uid)?.kind === 'load',
    lastLoad: notes.loads.get(preset.uid),
  };
}

function poolStanding(pool: Pool | undefined): Standing['pool'] {
  if (pool === undefined) return 'missing';
  return pool.paused ? 'paused' : 'open';
}

/** What nobody will make room for before the next try is told like a failed load: at once, with the scheduler's words. */
function backOffOf(uid: PresetUid, { backOffs, rejections }: StandingNotes): LoadFailure | undefined {
  const note = backOffs.get(uid);
  if (note !== undefined) return loadFailure(note);
  const rejection = rejections.get(uid);
  return rejection?.isHopeless === true ? loadFailure(rejection) : undefined;
}

function loadFailure({ failure, count, until }: Pick<FailureNote, 'failure' | 'count' | 'until'>): LoadFailure {
  const { code, reason, logTail, exitCode } = failure;
  return { code, reason, logTail, exitCode, failures: count, retryAt: until };
}
