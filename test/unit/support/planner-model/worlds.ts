import fc from 'fast-check';
import { milliseconds, seconds, type Duration } from '../../../../src/domain/units.ts';
import type { BinSpec, PoolSpec, PresetSpec, Setup } from './declarations.ts';
import { LONGEST } from './longest.ts';
import type { Fate } from './physical-backend.ts';

/** Up to `longest`, in steps that meet each other now and then. */
export const durations = (longest: Duration, shortest = milliseconds(500)): fc.Arbitrary<Duration> =>
  fc.integer({ min: shortest / 500, max: longest / 500 }).map((halves) => milliseconds(halves * 500));

/** Mostly the first. */
const mostly = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: other });

const always = <T>(value: T): fc.Arbitrary<T> => fc.constant(value);

/** Small, so that everybody is in everybody's way. */
const bins: fc.Arbitrary<BinSpec> = fc.record({
  gpu: mostly<number | undefined>(fc.integer({ min: 1, max: 4 }), always(undefined)),
  ram: fc.integer({ min: 1, max: 4 }),
  really: always(undefined),
});

/** Shared with others. */
const sharedBins = fc
  .tuple(bins, mostly<number | undefined>(always(undefined), fc.nat({ max: 2 })))
  .map(([bin, really]): BinSpec => ({ ...bin, really }));

const poolsOf = (some: fc.Arbitrary<BinSpec>): fc.Arbitrary<PoolSpec> =>
  fc.record({
    maxLoaded: fc.constantFrom(0, 1, 1, 2, 2, 3),
    bins: fc.array(some, { minLength: 1, maxLength: 2 }),
    paused: always(false),
    minResidency: durations(seconds(5), milliseconds(0)),
    fairAfter: mostly(durations(seconds(10)), always(milliseconds(0))),
    declared: always(true),
  });

/** `minimum`: how many replicas must always be loaded. */
const presetsWith = (minimum: fc.Arbitrary<number>): fc.Arbitrary<PresetSpec> =>
  fc
    .record({
      pool: mostly(always(0), always(1)),
      gpu: fc.integer({ min: 0, max: 3 }),
      ram: mostly(always(0), fc.integer({ min: 1, max: 3 })),
      priority: mostly(always(0), fc.integer({ min: 1, max: 2 })),
      minReplicas: minimum,
      maxReplicas: fc.constantFrom(1, 2),
      targetInFlight: fc.constantFrom(1, 2),
      idleTimeout: fc.oneof(always(milliseconds(0)), durations(seconds(60))),
      autoload: mostly(always(true), always(false)),
      args: always(1),
      source: always(1),
      declared: always(true),
    })
    .map((spec) => ({ ...spec, maxReplicas: Math.max(spec.minReplicas, spec.maxReplicas) }));

/** Two pools: presets may move from one to the other. */
const setupsOf = (some: fc.Arbitrary<BinSpec>, minimum: fc.Arbitrary<number>): fc.Arbitrary<Setup> =>
  fc.record({
    pools: fc.array(poolsOf(some), { minLength: 2, maxLength: 2 }),
    presets: fc.array(presetsWith(minimum), { minLength: 2, maxLength: 5 }),
  });

const reliable: fc.Arbitrary<Fate> = fc.record({
  load: durations(LONGEST.load),
  loads: always(true),
  crash: always(undefined),
  stop: durations(LONGEST.stop, milliseconds(0)),
});

const doubtful = fc
  .tuple(
    reliable,
    mostly(always(true), always(false)),
    mostly<Duration | undefined>(always(undefined), durations(seconds(60))),
  )
  .map(([fate, loads, crash]): Fate => ({ ...fate, loads, crash }));

/** Where things happen, and what becomes of the replicas there, one after the other. */
export interface Stage {
  readonly setup: fc.Arbitrary<Setup>;
  readonly fates: fc.Arbitrary<readonly Fate[]>;
}

const several = { minLength: 1, maxLength: 8 };

/** Loads end well, and the scheduler has what was said. */
export const calmStage: Stage = {
  setup: setupsOf(bins, mostly(always(0), fc.constantFrom(1, 2))),
  fates: fc.array(reliable, several),
};

/** Loads fail, processes crash, and others use the machines. */
export const roughStage: Stage = {
  setup: setupsOf(sharedBins, fc.constantFrom(0, 0, 0, 1, 2)),
  fates: fc.array(doubtful, several),
};
