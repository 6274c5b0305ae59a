import type { Activity, Demand, Peak } from '../domain/activity.ts';
import type { BinName, PresetUid, ReplicaId } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
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
  /** Of presets that have replicas, as `lastUses` and `peaks` are; one of them that is missing here is unknown. */
  readonly activity: ReadonlyMap<PresetUid, Activity>;
  readonly demand: ReadonlyMap<PresetUid, Demand>;
  /** When a request of a preset has ended last, as far as anybody knows; one that is missing here was never seen in use. */
  readonly lastUses: ReadonlyMap<PresetUid, Instant>;
  /** Requests at each replica; one that is missing here is unknown, and never stopped. */
  readonly inFlight: ReadonlyMap<ReplicaId, number>;
  readonly orders: ReadonlyMap<PresetUid, Order>;
  readonly backOffs: ReadonlyMap<PresetUid, BackOff>;
  /** Of presets that may have more than one replica; one that is missing here keeps what it has. */
  readonly peaks: ReadonlyMap<PresetUid, Peak>;
  /** In any order; those that have ended count no more. */
  readonly learnedLimits: readonly LearnedLimit[];
  /** `Plan.reservations` of the plan before; where there was none, see `reservationsAfterRestart`. */
  readonly reservations: Reservations;
  readonly now: Instant;
}

/** In which bin room is kept for a preset that has waited for `fairAfter`, until it is started, fails or is wanted no more. */
export type Reservations = ReadonlyMap<PresetUid, BinName>;

export interface Plan {
  /** In the order in which they are to be applied; at most one for each replica, and a start for each replica that is missing. */
  readonly actions: readonly Action[];
  /** Every wanted preset that has no live replica and is not started or taken back by `actions`, with the reason. */
  readonly blocked: readonly Blocked[];
  /** To be given to the next plan. */
  readonly reservations: Reservations;
  /** When to plan again although nothing has changed; `undefined`: never. */
  readonly wakeAt: Instant | undefined;
}
