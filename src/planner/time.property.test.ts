import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { instant } from '../domain/units.ts';
import { applied, withoutStarting, withoutStopping } from '../testing/planner-backend.ts';
import { checkPlans, presetOf, wishesOf } from '../testing/planner-checks.ts';
import { describeWorld } from '../testing/planner-describe.ts';
import { startsOf } from '../testing/planner-oracle.ts';
import { NOW, STEP } from '../testing/planner-rows.ts';
import { anyWorld } from '../testing/planner-worlds.ts';
import { testSeed } from '../testing/seed.ts';
import { plan } from './plan.ts';
import type { Plan, PlanInput } from './plan-input.ts';

/** What may not change by time alone; in which of several bins room is kept has no effect yet. */
const answerOf = ({ actions, blocked }: Plan): unknown => ({ actions, blocked });

describe('the moment to plan again', () => {
  it('lies ahead', () => {
    checkPlans(({ now }, { wakeAt }) => {
      assert.ok(wakeAt === undefined || wakeAt > now);
    });
  });
  it('is not after the first moment at which there is something to do, or another answer, once all is done', () => {
    const whenLater = fc.tuple(anyWorld(), fc.integer({ min: 1, max: 20 }), fc.constantFrom(-1, 0));
    fc.assert(
      fc.property(whenLater, ([input, steps, offset]) => {
        const { world, made } = atRest(input, (next) => next);
        const ahead = NOW + steps * STEP + offset;
        const at = made.wakeAt === undefined ? ahead : Math.min(ahead, made.wakeAt - 1);
        assert.deepEqual(answerOf(plan({ ...world, now: instant(at) })), answerOf(made), `at ${at}, not at ${NOW}`);
      }),
      { numRuns: 4_000, seed: testSeed() },
    );
  });
});

describe('planning again', () => {
  it('comes to rest when the plan is applied and nothing else happens', () => {
    checkPlans((input) => {
      atRest(input, (next) => next);
    });
  });
  it('comes to rest when all that is stopped is gone at once', () => {
    checkPlans((input) => {
      atRest(input, withoutStopping);
    });
  });
  it('comes to rest when all that is started is ready at once, too, and those who waited are gone', () => {
    checkPlans((input) => {
      atRest(input, (next) => withoutStarting(withoutStopping(next)), 20);
    });
  });
  it('starts what has waited for the room of those that left, once they are gone', () => {
    checkPlans(
      (input, made) => {
        const waiting = made.blocked.find(
          ({ reason, position }) => reason.kind === 'WaitingForDrain' && position === 1,
        );
        if (waiting === undefined || input.learnedLimits.length > 0) return;
        const gone = allGone(applied(input, made));
        const after = plan(gone);
        const [first] = wishesOf(presetOf(input, waiting.preset).pool, gone, after);
        if (first?.preset.uid !== waiting.preset) return;
        const starts = startsOf(after).map(({ preset }) => preset.uid);
        assert.ok(starts.includes(waiting.preset), `${waiting.preset} has waited in vain: ${describeWorld(gone)}`);
      },
      { crowds: false },
    );
  });
});

/** Plans and applies until there is nothing more to do. */
function atRest(
  input: PlanInput,
  meanwhile: (next: PlanInput) => PlanInput,
  rounds = 8,
): { readonly world: PlanInput; readonly made: Plan } {
  let world = input;
  let made = plan(world);
  for (let round = 0; round < rounds && made.actions.length > 0; round += 1) {
    world = meanwhile(applied(world, made));
    made = plan(world);
  }
  assert.deepEqual(made.actions, [], `still acting after ${rounds} rounds`);
  return { world, made };
}

/** The requests of all that drains have ended, and it is gone. */
function allGone(input: PlanInput): PlanInput {
  const staying = input.replicas.filter(({ state }) => state.kind !== 'draining' && state.kind !== 'stopping');
  return { ...input, replicas: staying };
}
