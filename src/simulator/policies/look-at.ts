import type { Activity, Demand, Peak } from '../../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import type { Instant } from '../../domain/units.ts';
import type { PlanInput, Reservations } from '../../planner/plan-input.ts';
import type { World } from './policy.ts';

/** The snapshot of the control loop, of some of the presets. */
export function lookAt(world: World, presets: readonly Preset[], reservations: Reservations, now: Instant): PlanInput {
  const { ledger, pool } = world;
  const replicas = world.observe();
  const activity = new Map<PresetUid, Activity>();
  const demand = new Map<PresetUid, Demand>();
  const peaks = new Map<PresetUid, Peak>();
  const inFlight = new Map<ReplicaId, number>();
  for (const { uid, scaling } of presets) {
    activity.set(uid, ledger.activity(uid));
    const asked = ledger.demand(uid);
    if (asked !== undefined) demand.set(uid, asked);
    const peak = scaling.maxReplicas > 1 ? ledger.peak(uid, now) : undefined;
    if (peak !== undefined) peaks.set(uid, peak);
  }
  for (const { id } of replicas) inFlight.set(id, ledger.inFlight(id));
  const counted = { activity, demand, inFlight, peaks };
  return { pools: [pool], presets, replicas, ...counted, ...unused, reservations, now };
}

/** Nobody orders anything in a simulation, no load fails, and what is idle is stopped in the moment in which that is decided. */
const unused: Pick<PlanInput, 'orders' | 'backOffs' | 'learnedLimits' | 'lastUses'> = {
  lastUses: new Map<never, never>(),
  orders: new Map<never, never>(),
  backOffs: new Map<never, never>(),
  learnedLimits: [],
};

/**
 * A preset that has no replica, no waiter and no `minReplicas` can neither get nor give anything: leaving it out of the look
 * changes no plan, and a plan for 200 models costs what those cost that are loaded or asked for.
 */
export function concernedPresets(world: World): readonly Preset[] {
  const presets = new Set(world.protectedPresets);
  for (const replica of world.observe()) presets.add(world.presetOf(replica));
  for (const { preset } of world.wishes()) presets.add(preset);
  return [...presets];
}
