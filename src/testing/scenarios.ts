import { binName, poolName } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import { milliseconds, seconds } from '../domain/units.ts';
import type { Scenario, SimulatedModel, Trace } from '../simulator/scenario.ts';

/** A model that needs one GPU, loads in 2 s and exits in half of one, unless told otherwise. */
export const aModel = (name: string, overrides: Partial<SimulatedModel> = {}): SimulatedModel => ({
  name,
  footprint: new Map([['gpu', 1000]]),
  loadTime: seconds(2),
  stopTime: milliseconds(500),
  idleTimeout: milliseconds(0),
  priority: 0,
  minReplicas: 0,
  maxReplicas: 1,
  targetInFlight: 1,
  ...overrides,
});

/** A pool of so many bins of one GPU, without fairness. */
export const gpus = (count: number, overrides: Partial<Pool> = {}): Pool => ({
  name: poolName('default'),
  maxLoaded: 0,
  bins: Array.from({ length: count }, (_, index) => ({
    name: binName(`gpu-${index}`),
    size: new Map([['gpu', 1000]]),
  })),
  eviction: 'LRUByIdle',
  paused: false,
  minResidency: milliseconds(0),
  fairAfter: milliseconds(0),
  ...overrides,
});

/** When, for which model (by its place in the table), and for how long. */
export type Row = readonly [at: number, model: number, duration: number];

export const aTrace = (rows: readonly Row[]): Trace => ({
  at: Float64Array.from(rows, ([at]) => at),
  model: Uint32Array.from(rows, ([, model]) => model),
  duration: Float64Array.from(rows, ([, , duration]) => duration),
});

/** Models `a`, `b`, `c` and `d` on one GPU, where everybody waits for ten minutes at most, unless told otherwise. */
export const aScenario = (rows: readonly Row[], overrides: Partial<Scenario> = {}): Scenario => ({
  name: 'test',
  pool: gpus(1),
  models: ['a', 'b', 'c', 'd'].map((name) => aModel(name)),
  trace: aTrace(rows),
  maxWait: seconds(600),
  ...overrides,
});
