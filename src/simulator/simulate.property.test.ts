import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { binName } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import { holdsCapacity } from '../domain/replica.ts';
import { amountOf, NO_RESOURCES, plus } from '../domain/resources.ts';
import { milliseconds } from '../domain/units.ts';
import { plan } from '../planner/plan.ts';
import { aModel, aTrace, gpus } from '../testing/scenarios.ts';
import { testSeed } from '../testing/seed.ts';
import { watched } from '../testing/watched-policy.ts';
import { Simulation } from './engine/simulation.ts';
import { POLICIES, type PolicyName } from './outcome.ts';
import { concernedPresets, lookAt } from './policies/look-at.ts';
import { policyNamed } from './policies/policy-named.ts';
import type { World } from './policies/policy.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';

const resources = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })).map(
  ([vram, gpu]) =>
    new Map([
      ['vram', vram],
      ['gpu', gpu],
    ]),
);
const times = fc.constantFrom(0, 1, 500, 2000, 10_000).map(milliseconds);

const pools = fc
  .record({
    maxLoaded: fc.nat({ max: 3 }),
    sizes: fc.array(fc.option(resources, { nil: undefined, freq: 6 }), { minLength: 1, maxLength: 3 }),
    minResidency: times,
    fairAfter: fc.constantFrom(0, 1000, 30_000).map(milliseconds),
  })
  .map(({ maxLoaded, sizes, minResidency, fairAfter }): Pool => {
    const bins = sizes.map((size, index) => ({ name: binName(`bin-${index}`), size }));
    return gpus(0, { maxLoaded, bins, minResidency, fairAfter });
  });

const models = fc.array(
  fc
    .record({
      footprint: resources,
      loadTime: times,
      stopTime: times,
      idleTimeout: times,
      priority: fc.nat({ max: 1 }),
      minReplicas: fc.constantFrom(0, 0, 0, 1),
      extraReplicas: fc.nat({ max: 1 }),
      targetInFlight: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ extraReplicas, ...model }) => ({ ...model, maxReplicas: 1 + extraReplicas })),
  { minLength: 1, maxLength: 5 },
);

const requests = fc.array(fc.tuple(fc.constantFrom(0, 1, 400, 3000, 40_000), fc.nat(), times), { maxLength: 40 });

const scenarios = fc
  .record({ pool: pools, models, requests, maxWait: fc.constantFrom(0, 5000, 600_000) })
  .map(({ pool, models: given, requests: asked, maxWait }): Scenario => {
    let at = 0;
    const rows = asked.map(([gap, model, takes]) => [(at += gap), model % given.length, takes] as const);
    return {
      name: 'generated',
      pool,
      models: given.map((model, index) => aModel(`m${index}`, model)),
      trace: aTrace(rows),
      maxWait: milliseconds(maxWait),
    };
  });

const each = (check: (scenario: Scenario, name: PolicyName) => void): void => {
  fc.assert(
    fc.property(scenarios, fc.constantFrom(...POLICIES), (scenario, name) => {
      check(scenario, name);
    }),
    { seed: testSeed(), numRuns: 150 },
  );
};

/** Counted from what is seen, and not from the books of the engine. */
function assertWithinCapacity({ pool, observe }: Pick<World, 'pool' | 'observe'>): void {
  const holders = observe().filter(holdsCapacity);
  if (pool.maxLoaded > 0) assert.ok(holders.length <= pool.maxLoaded);
  for (const { name, size } of pool.bins) {
    const used = holders.filter(({ bin }) => bin === name).reduce((sum, one) => plus(sum, one.footprint), NO_RESOURCES);
    if (size !== undefined) for (const [resource, amount] of used) assert.ok(amount <= amountOf(size, resource));
  }
}

describe('a simulation of any scenario, under any policy', () => {
  it('ends every request exactly once, never exceeds the capacity and cuts nobody', () => {
    each((scenario, name) => {
      const policy = watched(policyNamed(name, scenario), {
        looks: (world) => {
          assertWithinCapacity({ pool: world.pool, observe: () => world.observe() });
        },
        acts: (action, world) => {
          if (action.kind === 'stop') assert.equal(world.ledger.inFlight(action.replica), 0);
        },
      });
      const simulation = new Simulation(scenario, policy);
      const { requests: counts } = simulation.run();
      assert.equal(counts.waits.length + counts.starved, scenario.trace.at.length);
      assert.equal(counts.cut, 0);
      for (const wait of counts.waits) assert.ok(wait >= 0 && wait <= scenario.maxWait);
      let begun = 0;
      for (const { uid } of simulation.presets) {
        const tally = simulation.ledger.tally(uid);
        assert.ok(tally !== undefined);
        begun += tally.started;
        assert.equal(tally.activity.kind, 'idle');
        assert.equal(tally.finished, tally.started);
        assert.equal(tally.demand, undefined);
      }
      assert.equal(begun, counts.waits.length);
    });
  });
  it('has the same outcome each time', () => {
    each((scenario, name) => {
      assert.deepEqual(simulate(scenario, name), simulate(scenario, name));
    });
  });
});

describe('the look of the policy of Corral', () => {
  it('decides without the presets that nobody asks for or has loaded as it would with them', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const policy = policyNamed('corral', scenario);
        const simulation = new Simulation(scenario, {
          decide(world, now) {
            const whole = plan(lookAt(world, world.presets, new Map(), now));
            const some = plan(lookAt(world, concernedPresets(world), new Map(), now));
            assert.deepEqual(some, whole);
            return policy.decide(world, now);
          },
        });
        simulation.run();
      }),
      { seed: testSeed(), numRuns: 100 },
    );
  });
});
