import type { ActivitySource } from '../activity/ledger.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import type { PlanInput } from '../planner/plan-input.ts';

/** What the control loop keeps between two looks. */
export interface Kept {
  readonly catalog: Catalog;
  readonly orders: PlanInput['orders'];
  readonly backOffs: PlanInput['backOffs'];
  readonly learnedLimits: PlanInput['learnedLimits'];
  readonly reservations: PlanInput['reservations'];
}

/** One look at the world, for the planner. All of it is read in one tick. */
export function takeSnapshot(
  kept: Kept,
  replicas: readonly Replica[],
  source: ActivitySource,
  now: Instant,
): PlanInput {
  const { pools, presets } = kept.catalog;
  return {
    pools,
    presets,
    replicas,
    activity: new Map(presets.map(({ uid }) => [uid, source.activity(uid)])),
    demand: known(presets, (uid) => source.demand(uid)),
    lastUses: known(presets, (uid) => source.lastUse(uid)),
    inFlight: new Map(
      replicas.flatMap(({ id }) => {
        const inFlight = source.inFlight(id);
        return inFlight === undefined ? [] : [[id, inFlight]];
      }),
    ),
    orders: kept.orders,
    backOffs: kept.backOffs,
    peaks: known(presets, (uid) => source.peak(uid, now)),
    learnedLimits: kept.learnedLimits,
    reservations: kept.reservations,
    now,
  };
}

/** What is known of presets, by their uids. */
const known = <T>(presets: readonly Preset[], find: (uid: PresetUid) => T | undefined): Map<PresetUid, T> =>
  new Map(
    presets.flatMap(({ uid }) => {
      const found = find(uid);
      return found === undefined ? [] : [[uid, found]];
    }),
  );
