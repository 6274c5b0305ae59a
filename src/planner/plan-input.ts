import type { Activity, Demand } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { BackOff, Order } from '../domain/order.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import type { Action, Blocked } from './action.ts';

/** Everything a decision may depend on, at one moment. The planner keeps nothing between two calls. */
export interface PlanInput {
  readonly pools: readonly Pool[];
  readonly presets: readonly Preset[];
  /** Also those whose preset is gone. */
  readonly replicas: readonly Replica[];
  /** A preset that is missing here is unknown. */
  readonly activity: ReadonlyMap<PresetUid, Activity>;
  readonly demand: ReadonlyMap<PresetUid, Demand>;
  /** Requests at each replica; one that is missing here is unknown, and never stopped. */
  readonly inFlight: ReadonlyMap<ReplicaId, number>;
  readonly orders: ReadonlyMap<PresetUid, Order>;
  readonly backOffs: ReadonlyMap<PresetUid, BackOff>;
  readonly now: Instant;
}

export interface Plan {
  /** In the order in which they are to be applied; at most one for each replica and each preset. */
  readonly actions: readonly Action[];
  /** Every wanted preset that has no live replica and is not started by `actions`, with the reason. */
  readonly blocked: readonly Blocked[];
  /** When to plan again although nothing has changed; `undefined`: never. */
  readonly wakeAt: Instant | undefined;
}
