import type { Instant } from '../../domain/units.ts';
import type { Plan, Reservations } from '../../planner/plan-input.ts';
import { plan } from '../../planner/plan.ts';
import { concernedPresets, lookAt } from './look-at.ts';
import type { Decision, Policy, World } from './policy.ts';

/** As in the control loop: a longer chain is a fault of the planner. */
const MAX_ROUNDS = 8;

/** The real planner, asked as the control loop asks it: again after each plan that does something, until one does nothing. */
export class CorralPolicy implements Policy {
  #reservations: Reservations = new Map();

  decide(world: World, now: Instant): Decision {
    const last = this.#settle(world, now);
    const drains = world.observe().some(({ state }) => state.kind === 'draining');
    return { wakeAt: last.wakeAt, unsettled: last.blocked.length > 0 || drains };
  }

  #settle(world: World, now: Instant): Plan {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const next = plan(lookAt(world, concernedPresets(world), this.#reservations, now));
      this.#reservations = next.reservations;
      if (next.actions.length === 0) return next;
      for (const action of next.actions) world.apply(action);
    }
    throw new Error(`the planner did not settle within ${MAX_ROUNDS} rounds`);
  }
}
