import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName } from '../../domain/ids.ts';
import { milliseconds, minutes, seconds } from '../../domain/units.ts';
import { aModel, aScenario, gpus, type Row } from '../../testing/scenarios.ts';
import { watched } from '../../testing/watched-policy.ts';
import { Simulation } from '../engine/simulation.ts';
import type { PolicyName } from '../outcome.ts';
import type { Scenario } from '../scenario.ts';
import { policyNamed } from './policy-named.ts';

const A = 0;
const B = 1;
const C = 2;
const D = 3;

interface Run {
  /** `a` for a start, `-a` for a stop, each with its time. */
  readonly history: readonly string[];
  /** In the order in which the requests were served. */
  readonly waits: readonly number[];
  readonly starved: number;
}

/** What a policy does with a scenario. Nothing may be cut. */
function run(name: PolicyName, scenario: Scenario): Run {
  const history: string[] = [];
  const policy = watched(policyNamed(name, scenario), {
    acts: (action, _, now) => {
      if (action.kind === 'start') history.push(`${now} ${action.preset.model}`);
      if (action.kind === 'stop') history.push(`${now} -${action.replica.replace(/#.*/u, '')}`);
    },
  });
  const { requests } = new Simulation(scenario, policy).run();
  assert.equal(requests.cut, 0);
  return { history, waits: [...requests.waits], starved: requests.starved };
}

const everyPolicy = ['corral', 'llama-router', 'llama-swap', 'keep-alive', 'clairvoyant'] as const;

describe('every policy', () => {
  it('loads what is asked for, leaves what is in use, and swaps it when that has ended', () => {
    const rows: readonly Row[] = [
      [0, A, 1000],
      [500, B, 1000],
    ];
    for (const name of everyPolicy) {
      const { history, waits } = run(name, aScenario(rows));
      assert.deepEqual(history, ['0 a', '3000 -a', '3500 b'], name);
      assert.deepEqual(waits, [2000, 5000], name);
    }
  });
  it('holds up nobody for a model that fits nowhere', () => {
    const models = [aModel('a', { footprint: new Map([['gpu', 2000]]) }), aModel('b')];
    for (const name of everyPolicy) {
      const { history, starved } = run(
        name,
        aScenario(
          [
            [0, A, 10],
            [5, B, 1000],
          ],
          { models },
        ),
      );
      assert.deepEqual(history.slice(0, 1), ['5 b'], name);
      assert.equal(starved, 1, name);
    }
  });
});

/** A is asked for first and used last, B in between; both are idle when C comes. */
const firstInLastOut: readonly Row[] = [
  [0, A, 20_000],
  [5000, B, 1000],
  [30_000, C, 1000],
];

describe('the policy of Corral', () => {
  it('lets the one leave that has been idle the longest', () => {
    const { history, waits } = run('corral', aScenario(firstInLastOut, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '5000 b', '30000 -b', '30500 c']);
    assert.deepEqual(waits, [2000, 2000, 2500]);
  });
  it('drains what is in use for one that has waited for too long, and never cuts it', () => {
    const rows: Row[] = [[1000, B, 1000]];
    for (let at = 0; at < 120_000; at += 900) rows.push([at, A, 1000]);
    rows.sort((a, b) => a[0] - b[0]);
    const patient = aScenario(rows, { pool: gpus(1, { fairAfter: seconds(30) }) });
    // B is over-age at 31.0 s; the last request of A by then came at 30.6 s and ends at 31.6 s.
    assert.deepEqual(run('corral', patient).history.slice(0, 3), ['0 a', '31600 -a', '32100 b']);
    assert.equal(run('corral', patient).starved, 0);
    const unfair = { ...patient, pool: gpus(1) };
    assert.deepEqual(run('corral', unfair).history.slice(0, 2), ['0 a', '120700 -a']);
  });
  it('keeps what it has freed for one that has waited for too long, also from a higher priority', () => {
    const models = [aModel('a'), aModel('b'), aModel('c', { priority: 1 })];
    const rows: readonly Row[] = [
      [0, A, 60_000],
      [5000, B, 1000],
      [40_000, C, 1000],
    ];
    const pool = gpus(1, { fairAfter: seconds(30) });
    const { history } = run('corral', aScenario(rows, { models, pool }));
    assert.deepEqual(history, ['0 a', '62000 -a', '62500 b', '65500 -b', '66000 c']);
  });
  it('unloads after the idle timeout of the model', () => {
    const models = [aModel('a', { idleTimeout: minutes(1) }), aModel('b')];
    const rows: readonly Row[] = [
      [0, A, 1000],
      [0, B, 1000],
      [90_000, A, 1000],
    ];
    const { history } = run('corral', aScenario(rows, { models, pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '0 b', '63000 -a', '90000 a']);
  });
  it('loads another replica of a model with too much in flight', () => {
    const models = [aModel('a', { maxReplicas: 2, targetInFlight: 2 })];
    const rows: readonly Row[] = [
      [0, A, 60_000],
      [10_000, A, 1000],
      [20_000, A, 20_000],
      [30_000, A, 20_000],
    ];
    const { history, waits } = run('corral', aScenario(rows, { models, pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '30000 a']);
    assert.deepEqual(waits, [2000, 0, 0, 0]);
  });
  it('loads what is to be loaded always before anybody asks', () => {
    const models = [aModel('a', { minReplicas: 1 }), aModel('b')];
    const { history, waits } = run('corral', aScenario([[5000, A, 10]], { models }));
    assert.deepEqual(history, ['0 a']);
    assert.deepEqual(waits, [0]);
  });
});

describe("llama.cpp's router", () => {
  it('lets the one leave whose last request began first, although it ended last', () => {
    const { history } = run('llama-router', aScenario(firstInLastOut, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '5000 b', '30000 -a', '30500 c']);
  });
  it('counts from the start of the last request, and not of the load', () => {
    const rows: readonly Row[] = [
      [0, A, 100],
      [5000, B, 100],
      [10_000, A, 100],
      [30_000, C, 100],
    ];
    const { history } = run('llama-router', aScenario(rows, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '5000 b', '30000 -b', '30500 c']);
  });
  it('loads one after the other, also where there is room for both', () => {
    const rows: readonly Row[] = [
      [0, A, 10_000],
      [0, B, 10_000],
    ];
    assert.deepEqual(run('llama-router', aScenario(rows, { pool: gpus(2) })).history, ['0 a', '2000 b']);
    assert.deepEqual(run('corral', aScenario(rows, { pool: gpus(2) })).history, ['0 a', '0 b']);
  });
  it('loads no more than always fit, and evicts although the small one would fit beside', () => {
    const sized = (name: string, vram: number): ReturnType<typeof aModel> =>
      aModel(name, { footprint: new Map([['vram', vram]]) });
    const models = [sized('a', 1000), sized('b', 2000), sized('c', 7000), sized('d', 1000)];
    const pool = gpus(1, { bins: [{ name: binName('gpu-0'), size: new Map([['vram', 9000]]) }] });
    const rows: readonly Row[] = [
      [0, A, 10],
      [10_000, B, 10],
      [20_000, D, 10],
    ];
    const { history } = run('llama-router', aScenario(rows, { models, pool }));
    // The largest two fit together, the largest three do not.
    assert.deepEqual(history, ['0 a', '10000 b', '20000 -a', '20500 d']);
    assert.deepEqual(run('corral', aScenario(rows, { models, pool })).history, ['0 a', '10000 b', '20000 d']);
  });
  it('serves a ready model while another starves', () => {
    const rows: Row[] = [[1000, B, 1000]];
    for (let at = 0; at < 120_000; at += 900) rows.push([at, A, 1000]);
    rows.sort((a, b) => a[0] - b[0]);
    const { history, starved } = run('llama-router', aScenario(rows, { maxWait: seconds(60) }));
    assert.deepEqual(history, ['0 a']);
    assert.equal(starved, 1);
  });
});

describe('llama-swap', () => {
  it('has one model at a time, wherever there is room', () => {
    const { history } = run(
      'llama-swap',
      aScenario(
        [
          [0, A, 10],
          [5000, B, 10],
        ],
        { pool: gpus(2) },
      ),
    );
    assert.deepEqual(history, ['0 a', '5000 -a', '5500 b']);
  });
  it('serves all that wait for a model with one load, the oldest first', () => {
    const rows: readonly Row[] = [A, B, C, A, B, C].map((model, at) => [at, model, 1000]);
    const { history } = run('llama-swap', aScenario(rows));
    assert.deepEqual(history, ['0 a', '3000 -a', '3500 b', '6500 -b', '7000 c']);
  });
  it('prefers the higher priority', () => {
    const models = ['a', 'b', 'c'].map((name, priority) => aModel(name, { priority }));
    const { history } = run(
      'llama-swap',
      aScenario(
        [
          [0, A, 1000],
          [1, B, 10],
          [2, C, 10],
        ],
        { models },
      ),
    );
    assert.deepEqual(history, ['0 a', '3000 -a', '3500 c', '5510 -c', '6010 b']);
  });
  it('finishes a swap for which nobody waits any more', () => {
    const rows: readonly Row[] = [
      [0, A, 10],
      [5000, B, 10],
      [20_000, C, 10],
    ];
    const { history, starved } = run('llama-swap', aScenario(rows, { maxWait: milliseconds(2200) }));
    assert.deepEqual(history, ['0 a', '5000 -a', '5500 b', '20000 -b', '20500 c']);
    assert.equal(starved, 2);
  });
});

describe('a fixed keep-alive', () => {
  it('unloads five minutes after the last request', () => {
    const rows: readonly Row[] = [
      [0, A, 1000],
      [200_000, A, 1000],
      [600_000, B, 10],
    ];
    const { history } = run('keep-alive', aScenario(rows, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '501000 -a', '600000 b']);
  });
  it('lets the one leave whose keep-alive ends first', () => {
    const { history } = run('keep-alive', aScenario(firstInLastOut, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '5000 b', '30000 -b', '30500 c']);
  });
});

describe('the clairvoyant policy', () => {
  it('lets the one leave that is needed latest, or never again', () => {
    const rows: readonly Row[] = [
      [0, A, 10],
      [5000, B, 10],
      [10_000, C, 10],
      [20_000, A, 10],
      [25_000, D, 10],
      [30_000, C, 10],
    ];
    const scenario = aScenario(rows, { pool: gpus(2) });
    assert.deepEqual(run('clairvoyant', scenario).history, [
      '0 a',
      '5000 b',
      '10000 -b',
      '10500 c',
      '25000 -a',
      '25500 d',
    ]);
    assert.equal(run('corral', scenario).history.filter((event) => event.includes(' -')).length, 4);
  });
  it('unloads nothing without need', () => {
    const rows: readonly Row[] = [
      [0, A, 1000],
      [10_000_000, B, 10],
    ];
    assert.deepEqual(run('clairvoyant', aScenario(rows, { pool: gpus(2) })).history, ['0 a', '10000000 b']);
  });
});

describe('the policies that load on demand', () => {
  const vram = (amount: number): { footprint: ReadonlyMap<string, number> } => ({
    footprint: new Map([['vram', amount]]),
  });
  const bins = [6000, 4000].map((size, index) => ({ name: binName(`gpu-${index}`), size: new Map([['vram', size]]) }));
  const pool = gpus(0, { bins });
  it('put a replica where it leaves the least', () => {
    const models = [aModel('a', vram(4000)), aModel('b', vram(6000))];
    const { history } = run(
      'keep-alive',
      aScenario(
        [
          [0, A, 10],
          [0, B, 10],
        ],
        { models, pool },
      ),
    );
    assert.deepEqual(history, ['0 a', '0 b']);
  });
  it('spare those without whom it fits as well, and take all from one bin', () => {
    const models = [aModel('a', vram(1000)), aModel('b', vram(4000)), aModel('c', vram(5000)), aModel('d', vram(5000))];
    const rows: readonly Row[] = [
      [0, B, 10],
      [5000, A, 10],
      [10_000, C, 10],
      [20_000, D, 10],
    ];
    const { history } = run('keep-alive', aScenario(rows, { models, pool }));
    assert.deepEqual(history, ['0 b', '5000 a', '10000 c', '20000 -c', '20500 d']);
  });
  it('promise what leaves to one only', () => {
    const rows: readonly Row[] = [
      [0, A, 10],
      [0, B, 10],
      [10_000, C, 10],
      [10_000, D, 10],
    ];
    const { history } = run('keep-alive', aScenario(rows, { pool: gpus(2) }));
    assert.deepEqual(history, ['0 a', '0 b', '10000 -a', '10000 -b', '10500 c', '10500 d']);
  });
  it('count what stays in other bins as taken', () => {
    const models = [aModel('a', vram(4000)), aModel('b', vram(6000)), aModel('c', vram(6000)), aModel('d', vram(4000))];
    const rows: readonly Row[] = [
      [0, A, 10],
      [5000, B, 10],
      [20_000, C, 10],
      [20_000, D, 10],
    ];
    const { history } = run('keep-alive', aScenario(rows, { models, pool }));
    assert.deepEqual(history, ['0 a', '5000 b', '20000 -b', '20000 -a', '20500 c', '20500 d']);
  });
  it('leave to nobody else what has been freed for one', () => {
    const models = [aModel('a', vram(3000)), aModel('b', vram(1000)), aModel('c', vram(4000))];
    const rows: readonly Row[] = [
      [0, A, 10],
      [10_000, C, 10],
      [10_100, B, 10],
    ];
    const one = gpus(0, { bins: [{ name: binName('gpu-0'), size: new Map([['vram', 4000]]) }] });
    const { history } = run('keep-alive', aScenario(rows, { models, pool: one }));
    assert.deepEqual(history, ['0 a', '10000 -a', '10500 c', '12510 -c', '13010 b']);
  });
});
