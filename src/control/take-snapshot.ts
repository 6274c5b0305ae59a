import type { ActivitySource } from '../activity/ledger.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
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
  const declared = presetsByUid(presets);
  // What a preset does matters only where something of it could leave or grow: of thousands few have a replica.
  const running = new Set(replicas.map(({ preset }) => preset).filter((uid) => declared.has(uid)));
  return {
    pools,
    presets,
    replicas,
    activity: known(running, (uid) => source.activity(uid)),
    demand: known(declared.keys(), (uid) => source.demand(uid)),
    lastUses: known(running, (uid) => source.lastUse(uid)),
    inFlight: new Map(
      replicas.flatMap(({ id }) => {
        const inFlight = source.inFlight(id);
        return inFlight === undefined ? [] : [[id, inFlight]];
      }),
    ),
    orders: kept.orders,
    backOffs: kept.backOffs,
    peaks: known(running, (uid) => source.peak(uid, now)),
    learnedLimits: kept.learnedLimits,
    reservations: kept.reservations,
    now,
  };
}

/** What is known of presets, by their uids. */
function known<T>(presets: Iterable<PresetUid>, find: (uid: PresetUid) => T | undefined): Map<PresetUid, T> {
  const all = new Map<PresetUid, T>();
  for (const uid of presets) {
    const found = find(uid);
    if (found !== undefined) all.set(uid, found);
  }
  return all;
}
