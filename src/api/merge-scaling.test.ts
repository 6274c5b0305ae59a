import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scaling } from '../domain/preset.ts';
import { milliseconds } from '../domain/units.ts';
import { type ArgItem, findOption } from './llama-options.ts';
import { mergeScaling } from './merge-scaling.ts';
import { slotsOf } from './parallel-slots.ts';
import { parseArgv } from './parse-argv.ts';

const DEFAULTS = {
  idleTimeout: milliseconds(1),
  loadTimeout: milliseconds(2),
  autoload: true,
  loadOnStartup: false,
};

/** Least, most and target of what the layers come to. */
function replicas(...layers: Partial<Scaling>[]): readonly number[] {
  const { minReplicas, maxReplicas, targetInFlight } = mergeScaling(DEFAULTS, layers, 4);
  return [minReplicas, maxReplicas, targetInFlight];
}

test('where nobody says anything there is at most one replica, for as many requests as its llama-server has slots', () => {
  assert.deepEqual(replicas(), [0, 1, 4]);
  assert.deepEqual(mergeScaling(DEFAULTS, [{ autoload: false }], 4).autoload, false);
  assert.deepEqual(mergeScaling(DEFAULTS, [], 4).loadTimeout, 2);
});

test('the most replicas are as many as the least, unless somebody says more', () => {
  assert.deepEqual(replicas({ minReplicas: 3 }), [3, 3, 4]);
  assert.deepEqual(replicas({ minReplicas: 3 }, { minReplicas: 1 }), [1, 1, 4]);
  assert.deepEqual(replicas({ maxReplicas: 5 }, { minReplicas: 3, targetInFlight: 2 }), [3, 5, 2]);
  assert.deepEqual(replicas({ targetInFlight: 7 }, {}), [0, 1, 7]);
});

test('of two layers that contradict each other the stronger one holds', () => {
  assert.deepEqual(replicas({ maxReplicas: 2 }, { minReplicas: 3 }), [3, 3, 4]);
  assert.deepEqual(replicas({ minReplicas: 3 }, { maxReplicas: 2 }), [2, 2, 4]);
  assert.deepEqual(replicas({ maxReplicas: 2 }, { minReplicas: 3 }, { maxReplicas: 1 }), [1, 1, 4]);
});

const slots = (argv: string, env: Record<string, string> = {}): number =>
  slotsOf(parseArgv(argv.split(' '), []).options, new Map(Object.entries(env)));

test('the slots are those of --parallel, else of its variable, else what llama-server takes for auto', () => {
  const item: ArgItem = { kind: 'values', option: findOption('-np')?.option ?? assert.fail(), values: ['8'] };
  assert.equal(slotsOf([item], new Map([['LLAMA_ARG_N_PARALLEL', '2']])), 8);
  assert.equal(slots('-np 2 --ctx-size 9 --parallel 3'), 3);
  assert.equal(slots('--ctx-size 9', { LLAMA_ARG_N_PARALLEL: '2' }), 2);
  assert.equal(slots('--ctx-size 9'), 4);
});

test('auto, and what llama-server will refuse, are no number of slots', () => {
  for (const value of ['-1', '0', 'many', '1.5', '']) {
    assert.equal(slotsOf([], new Map([['LLAMA_ARG_N_PARALLEL', value]])), 4, value);
  }
  assert.equal(slots('--parallel -1', { LLAMA_ARG_N_PARALLEL: '2' }), 4);
});
