import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { milliseconds, seconds } from '../domain/units.ts';
import { aModel, aScenario, aTrace, gpus, type Row } from '../testing/scenarios.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';

const rows: readonly Row[] = [
  [0, 0, 1000],
  [500, 1, 1000],
  [600, 0, 1000],
  [3_590_000, 0, 10_000],
];

describe('the outcome of a simulation', () => {
  it('counts loads, waits, and the hours that replicas hold capacity', () => {
    // a is ready at 2 s and in use to 3 s, b is loaded from 3.5 s to 5.5 s, and a again from 3 590.5 s; the last end is at 3 602.5 s.
    assert.deepEqual(simulate(aScenario(rows), 'corral'), {
      policy: 'corral',
      requests: 4,
      coldStarts: 3,
      coldRequests: 4,
      wait: { p50: 2000, p95: 5000, p99: 5000, max: 5000 },
      starved: 0,
      reloads: 1,
      reloadsPerHour: 3_600_000 / 3_602_500,
      gpuHours: (3500 + (3_590_500 - 3500) + (3_602_500 - 3_590_500)) / 3_600_000,
      cut: 0,
    });
  });
  it('takes percentiles by nearest rank, over what was served', () => {
    const many: Row[] = Array.from({ length: 100 }, (_, index) => [index, 0, 1000]);
    // 95 wait, for 2000 to 1906 ms, and five do not.
    const later = many.map((row, index): Row => (index < 95 ? row : [5000, 0, 10]));
    const { wait, coldRequests } = simulate(aScenario(later), 'corral');
    assert.deepEqual(wait, { p50: 1950, p95: 1995, p99: 1999, max: 2000 });
    assert.equal(coldRequests, 95);
  });
  it('has no waits where nobody was served, and no rate where no time has gone by', () => {
    const tooLarge = [aModel('a', { footprint: new Map([['gpu', 2000]]) })];
    const starved = simulate(aScenario([[0, 0, 1]], { models: tooLarge, maxWait: seconds(1) }), 'corral');
    assert.equal(starved.wait, undefined);
    assert.deepEqual([starved.starved, starved.coldRequests, starved.coldStarts], [1, 1, 0]);
    const nothing = simulate(aScenario([]), 'corral');
    assert.deepEqual([nothing.requests, nothing.wait, nothing.reloadsPerHour, nothing.gpuHours], [0, undefined, 0, 0]);
  });
});

describe('a scenario that is none', () => {
  const wrong: readonly (readonly [string, Scenario, RegExp])[] = [
    [
      'two models of one name',
      aScenario([], { models: [aModel('a'), aModel('a')] }),
      /two models have one name; give/u,
    ],
    [
      'an endless wait',
      aScenario([], { maxWait: milliseconds(Infinity) }),
      /maxWait is Infinity; it has to be a finite/u,
    ],
    ['a negative time', aScenario([[-1, 0, 1]]), /request 0: comes at -1 ms, after 0 ms; sort/u],
    [
      'an unsorted trace',
      aScenario([
        [5, 0, 1],
        [4, 0, 1],
      ]),
      /request 1: comes at 4 ms, after 5 ms; sort/u,
    ],
    ['a duration that is no number', aScenario([[0, 0, NaN]]), /request 0: takes NaN ms/u],
    [
      'an unknown model',
      aScenario([
        [0, 0, 1],
        [1, 4, 1],
      ]),
      /request 1: asks for model number 4; there are 4/u,
    ],
    [
      'columns that differ',
      aScenario([], { trace: { ...aTrace([[0, 0, 1]]), duration: new Float64Array(2) } }),
      /columns of the trace have 1, 1 and 2 rows/u,
    ],
    [
      'a negative load time',
      withModel({ loadTime: milliseconds(-1) }),
      /model a: loadTime is -1; it has to be 0 or more/u,
    ],
    ['a stop that never ends', withModel({ stopTime: milliseconds(Infinity) }), /model a: stopTime is Infinity/u],
    ['more replicas than the most', withModel({ minReplicas: 2 }), /model a: replicas from 2 to 1/u],
    ['no replica at all', withModel({ maxReplicas: 0 }), /model a: replicas from 0 to 0/u],
    ['no request per replica', withModel({ targetInFlight: 0 }), /model a: targetInFlight is 0/u],
  ];
  for (const [what, scenario, complaint] of wrong) {
    it(`is refused: ${what}`, () => {
      assert.throws(() => simulate(scenario, 'corral'), { name: 'RangeError', message: complaint });
    });
  }
});

function withModel(overrides: Parameters<typeof aModel>[1]): Scenario {
  return aScenario([], { models: [aModel('a', overrides)], pool: gpus(1) });
}
