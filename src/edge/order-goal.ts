import type { PresetUid } from '../domain/ids.ts';
import type { Duration } from '../domain/units.ts';
import type { Route } from '../routing/route.ts';
import type { Refusal } from './refusal.ts';
import { notUnloaded, refusalOf, waitTimeout } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** What somebody who has ordered something waits for. */
export interface Goal {
  /** What the answer says when it is reached. */
  readonly outcome: 'loaded' | 'unloaded';
  /** Whether whoever waits wants the model, as a request for it does. */
  readonly isDemand: boolean;
  readonly isReached: (route: Route) => boolean;
  /** Why waiting is of no use; `undefined`: it is. */
  readonly hopeless: (route: Route) => Refusal | undefined;
  readonly tooLate: (route: Route, waited: Duration) => Refusal;
}

/** A replica is ready that serves what is declared now. */
export const loadGoal = (edge: EdgeContext, { access }: Visit): Goal => ({
  outcome: 'loaded',
  isDemand: true,
  isReached: ({ replicas }) => replicas.length > 0,
  hopeless: (route) => (route.refusal === undefined ? undefined : refusalOf(route, route.refusal, edge.now())),
  tooLate: (route, waited) => waitTimeout(route, waited, access),
});

/** The replicas that there are now are gone; those that others want later do not matter. */
export function unloadGoal({ orders }: EdgeContext, preset: PresetUid): Goal {
  const meant = new Set(orders.replicasOf(preset));
  return {
    outcome: 'unloaded',
    isDemand: false,
    isReached: () => !orders.replicasOf(preset).some((replica) => meant.has(replica)),
    hopeless: () => undefined,
    tooLate: notUnloaded,
  };
}
