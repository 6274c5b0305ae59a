import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName, replicaId } from '../../domain/ids.ts';
import { instant, seconds } from '../../domain/units.ts';
import type { Action } from '../../planner/action.ts';
import { aModel, aScenario, gpus, type Row } from '../../testing/scenarios.ts';
import type { Policy, World } from '../policies/policy.ts';
import type { Scenario } from '../scenario.ts';
import { Simulation } from './simulation.ts';

/** Does so at these times and nothing else. Models are given by their place, replicas by the order of their starts. */
type Step = readonly [at: number, act: (world: World) => void];

function scripted(steps: readonly Step[]): Policy {
  const left = [...steps];
  return {
    decide(world, now) {
      while (left[0] !== undefined && left[0][0] <= now) left.shift()?.[1](world);
      return { wakeAt: left[0] === undefined ? undefined : instant(left[0][0]), unsettled: false };
    },
  };
}

const run = (scenario: Scenario, steps: readonly Step[]): ReturnType<Simulation['run']> =>
  new Simulation(scenario, scripted(steps)).run();

const start =
  (model: number, bin = 'gpu-0') =>
  (world: World): void => {
    const preset = world.presets[model];
    assert.ok(preset !== undefined);
    world.apply({ kind: 'start', preset, bin: binName(bin) });
  };
const turn =
  (kind: 'drain' | 'cancel' | 'stop', id: string) =>
  (world: World): void => {
    const replica = replicaId(id);
    const action: Action = kind === 'drain' ? { kind, replica, cause: { kind: 'idle' } } : { kind, replica };
    world.apply(action);
  };

const one: readonly Row[] = [[0, 0, 1000]];

describe('a simulated replica', () => {
  it('serves all that wait when its load time is over, and later ones at once', () => {
    const { requests, loads } = run(
      aScenario([
        [100, 0, 1000],
        [600, 0, 5000],
        [2100, 0, 0],
        [2500, 0, 100],
      ]),
      [[100, start(0)]],
    );
    assert.deepEqual([...requests.waits], [2000, 1500, 0, 0]);
    assert.equal(requests.held, 2);
    assert.equal(requests.lastEnd, 7100);
    assert.deepEqual(loads, { coldStarts: 1, reloads: 0, heldFor: 7000 });
  });
  it('holds its capacity until its stop time is over', () => {
    const steps = (secondAt: number): Step[] => [
      [0, start(0)],
      [3000, turn('drain', 'a#0')],
      [3000, turn('stop', 'a#0')],
      [secondAt, start(1)],
    ];
    const scenario = aScenario([...one, [2500, 1, 1000]]);
    assert.throws(() => run(scenario, steps(3499)), /b#1 was started in gpu-0, where it does not fit/u);
    const { requests, loads } = run(scenario, steps(3500));
    assert.deepEqual([...requests.waits], [2000, 3000]);
    assert.equal(loads.heldFor, 3500 + 3000);
  });
  it('takes its capacity from its start, also of the number that may be loaded', () => {
    const both: Step[] = [
      [0, start(0, 'gpu-0')],
      [0, start(1, 'gpu-1')],
    ];
    const limited = aScenario(one, { pool: gpus(2, { maxLoaded: 1 }) });
    assert.throws(() => run(limited, both), /b#1 was started beside 1 others, with room for 1/u);
    assert.equal(run(aScenario(one, { pool: gpus(2) }), both).loads.coldStarts, 2);
  });
  it('gets no request while it drains, and serves again when that is taken back', () => {
    const { requests } = run(aScenario([...one, [3000, 0, 100], [3500, 0, 100]]), [
      [0, start(0)],
      [2500, turn('drain', 'a#0')],
      [4000, turn('cancel', 'a#0')],
    ]);
    assert.deepEqual([...requests.waits], [2000, 1000, 500]);
    assert.equal(requests.cut, 0);
  });
  it('goes on loading behind a drain that is taken back', () => {
    for (const [takenBack, wait] of [
      [1500, 2000],
      [3000, 3000],
    ] as const) {
      const { requests } = run(aScenario(one), [
        [0, start(0)],
        [1000, turn('drain', 'a#0')],
        [takenBack, turn('cancel', 'a#0')],
      ]);
      assert.deepEqual([...requests.waits], [wait]);
    }
  });
  it('counts as loaded again when its model was before', () => {
    const { loads } = run(aScenario([[0, 0, 6000]], { pool: gpus(2) }), [
      [0, start(0, 'gpu-0')],
      [0, start(1, 'gpu-1')],
      [3000, turn('drain', 'b#1')],
      [3000, turn('stop', 'b#1')],
      [4000, start(1, 'gpu-1')],
    ]);
    assert.deepEqual(loads, { coldStarts: 3, reloads: 1, heldFor: 8000 + 3500 + 4000 });
  });
});

describe('a simulated request', () => {
  it('goes to the replica with the fewest in flight', () => {
    const models = [aModel('a', { maxReplicas: 2 })];
    const seen: number[][] = [];
    const look = (world: World): void => {
      seen.push(world.observe().map(({ id }) => world.ledger.inFlight(id)));
    };
    run(aScenario([...one, [0, 0, 1000], [2500, 0, 1000]], { models, pool: gpus(2) }), [
      [0, start(0, 'gpu-0')],
      [0, start(0, 'gpu-1')],
      [2000, look],
      [2600, look],
    ]);
    assert.deepEqual(seen, [
      // The first to be ready serves all that wait.
      [2, 0],
      [2, 1],
    ]);
  });
  it('gives up after the longest wait, and is served if a replica is ready by then', () => {
    const rows: readonly Row[] = [
      [0, 0, 1000],
      [1, 0, 1000],
    ];
    const late = run(aScenario(rows, { maxWait: seconds(2) }), [[1, start(0)]]);
    assert.equal(late.requests.starved, 1);
    assert.deepEqual([...late.requests.waits], [2000]);
    const never = run(aScenario(rows, { maxWait: seconds(2) }), []);
    assert.equal(never.requests.starved, 2);
    assert.equal(never.requests.lastEnd, 2001);
    assert.deepEqual(never.loads, { coldStarts: 0, reloads: 0, heldFor: 0 });
  });
  it('is cut by the stop of its replica, once, and the idle clock starts', () => {
    const { requests } = run(aScenario([...one, [2800, 1, 100]]), [
      [0, start(0)],
      [2500, turn('drain', 'a#0')],
      [2500, turn('stop', 'a#0')],
      [
        2600,
        (world) => {
          assert.deepEqual(
            world.presets.slice(0, 1).map(({ uid }) => world.ledger.activity(uid)),
            [{ kind: 'idle', since: 2500 }],
          );
        },
      ],
      [3000, start(1)],
    ]);
    assert.equal(requests.cut, 1);
    assert.deepEqual([...requests.waits], [2000, 2200]);
  });
});

describe('a policy', () => {
  it('is refused what is against the physics', () => {
    for (const [steps, complaint] of [
      [[[0, start(0, 'nowhere')]], /a#0 was started in the bin nowhere, which is none/u],
      [[[0, turn('drain', 'a#0')]], /decided about a#0, which does not exist/u],
      [
        [
          [0, start(0)],
          [0, turn('stop', 'a#0')],
        ],
        /stops a#0, which is starting and does not drain/u,
      ],
      [
        [
          [0, start(0)],
          [0, turn('cancel', 'a#0')],
        ],
        /takes back the drain of a#0, which is starting/u,
      ],
    ] as const) {
      assert.throws(() => run(aScenario(one), steps), complaint);
    }
  });
  it('that never comes to rest at one moment is stopped', () => {
    const restless: Policy = { decide: (_, now) => ({ wakeAt: now, unsettled: true }) };
    assert.throws(() => new Simulation(aScenario(one), restless).run(), /does not come to rest at 0 ms/u);
  });
  it('is asked on a first waiter, a last one gone, readiness and exit, and on an end only while it is unsettled', () => {
    const asked = (unsettled: boolean): number[] => {
      const times: number[] = [];
      const steps = scripted([
        [10, start(0)],
        [3500, turn('drain', 'a#0')],
        [3500, turn('stop', 'a#0')],
      ]);
      const scenario = aScenario([
        [10, 0, 1000],
        [20, 0, 500],
        [3100, 0, 1500],
        [4100, 1, 5],
        [4101, 1, 5],
      ]);
      const policy: Policy = {
        decide(world, now) {
          times.push(now);
          return { ...steps.decide(world, now), unsettled };
        },
      };
      new Simulation({ ...scenario, maxWait: seconds(5) }, policy).run();
      return times;
    };
    assert.deepEqual(asked(false), [0, 10, 2010, 3500, 4000, 4100, 9101]);
    // Its stop at 3500 ends the request that it cuts.
    assert.deepEqual(asked(true), [0, 10, 2010, 3010, 3500, 3500, 4000, 4100, 9101]);
  });
});
