import fc from 'fast-check';
import type { Resources } from '../domain/resources.ts';

/*
 * What the worlds of the planner's properties are made from. All times lie on a coarse grid, so that ties and exact ends of
 * timeouts are common; what makes a world simpler comes first in each choice, so that it shrinks well. Things are named by
 * index, so that a row that is taken away by shrinking does not change what the others mean.
 */
export const NOW = 300_000;
export const STEP = 20_000;
const past = fc.integer({ min: 0, max: NOW / STEP }).map((steps) => NOW - steps * STEP);
const before = fc.integer({ min: 1, max: NOW / STEP }).map((steps) => NOW - steps * STEP);
const future = fc.integer({ min: 1, max: 8 }).map((steps) => NOW + steps * STEP);
export const rarely = (weight: number): fc.Arbitrary<boolean> =>
  fc.oneof({ arbitrary: fc.constant(false), weight }, { arbitrary: fc.constant(true), weight: 1 });
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, weight = 2): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight }, { arbitrary, weight: 1 });

/** Of both resources; a pool may count fewer. */
const amounts = (max: number): fc.Arbitrary<Resources> =>
  fc.record({ gpu: fc.integer({ min: 0, max }), vram: fc.integer({ min: 0, max: 2 * max }) }).map(
    ({ gpu, vram }) =>
      new Map([
        ['gpu', gpu],
        ['vram', vram],
      ] as const),
  );

export const onlyOf = (amount: Resources, names: readonly string[]): Resources =>
  new Map([...amount].filter(([name]) => names.includes(name)));

export const poolRow = fc.record({
  maxLoaded: fc.integer({ min: 0, max: 4 }),
  /** The resources that its bins have; none: they are of unknown size. */
  counted: fc.constantFrom([], ['gpu'], ['gpu'], ['gpu', 'vram']),
  sizes: fc.array(fc.record({ size: amounts(6), known: rarely(12).map((unknown) => !unknown) }), {
    minLength: 1,
    maxLength: 4,
  }),
  eviction: fc.constantFrom('LRUByIdle' as const, 'LRUByIdle' as const, 'IdleBySize' as const),
  paused: rarely(12),
  minResidency: fc.constantFrom(0, 40_000),
  fairAfter: fc.constantFrom(0, 60_000, 100_000),
});
export type PoolRow = typeof poolRow extends fc.Arbitrary<infer T> ? T : never;

const causeRow = fc.record({
  kind: fc.constantFrom(
    ...(['idle', 'surplus', 'evicted', 'evicted', 'fairness', 'fairness', 'removed', 'changed'] as const),
    ...(['ordered', 'paused', 'capacity', 'deleted', 'nodeLost', 'failed'] as const),
  ),
  beneficiary: fc.nat(8),
});

const stateRow = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('ready' as const),
      since: past,
      loadTime: fc.constantFrom(0, 20_000, 120_000),
    }),
    weight: 6,
  },
  { arbitrary: fc.record({ kind: fc.constant('starting' as const), since: past }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('draining' as const), since: past, cause: causeRow }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('stopping' as const), since: past, cause: causeRow }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('failed' as const), since: past }), weight: 1 },
);
export type StateRow = typeof stateRow extends fc.Arbitrary<infer T> ? T : never;

const replicaRow = fc.record({
  state: stateRow,
  bin: fc.oneof({ arbitrary: fc.nat(3), weight: 12 }, { arbitrary: fc.constant(undefined), weight: 1 }),
  inFlight: fc.oneof(
    { arbitrary: fc.constant(0), weight: 6 },
    { arbitrary: fc.integer({ min: 1, max: 4 }), weight: 3 },
    { arbitrary: fc.constant(undefined), weight: 1 },
  ),
  older: fc.oneof(
    { arbitrary: fc.constant('no' as const), weight: 10 },
    { arbitrary: fc.constantFrom('rendered' as const, 'serves' as const, 'pool' as const), weight: 1 },
  ),
  footprint: sometimes(amounts(3), 8),
});
export type ReplicaRow = typeof replicaRow extends fc.Arbitrary<infer T> ? T : never;

/** What the scheduler has refused last: in one bin, or in every one where nobody knows which. */
const limitRow = fc.record({
  bin: fc.oneof(fc.nat(3), fc.constant(undefined)),
  until: fc.oneof(future, past),
  spent: fc.boolean(),
  slack: fc.nat(1),
});
export type LimitRow = typeof limitRow extends fc.Arbitrary<infer T> ? T : never;

export const presetRow = fc.record({
  declared: rarely(8).map((gone) => !gone),
  pool: fc.oneof({ arbitrary: fc.nat(2), weight: 20 }, { arbitrary: fc.constant('lost' as const), weight: 1 }),
  footprint: fc.oneof({ arbitrary: amounts(3), weight: 8 }, { arbitrary: amounts(9), weight: 1 }),
  /** It also needs what its pool does not count. */
  foreign: rarely(15),
  priority: fc.constantFrom(0, 0, 0, 1, 2, -1),
  minReplicas: fc.constantFrom(0, 0, 0, 0, 1, 2),
  spread: fc.constantFrom(0, 0, 1, 2),
  targetInFlight: fc.integer({ min: 1, max: 3 }),
  idleTimeout: fc.constantFrom(0, 40_000, 100_000),
  autoload: rarely(8).map((off) => !off),
  replicas: fc.oneof(
    { arbitrary: fc.array(replicaRow, { maxLength: 1 }), weight: 3 },
    { arbitrary: fc.array(replicaRow, { maxLength: 3 }), weight: 1 },
  ),
  idleSince: past,
  unknown: rarely(8),
  demand: sometimes(before, 1),
  order: sometimes(fc.record({ kind: fc.constantFrom('load' as const, 'unload' as const), since: before }), 7),
  backOff: sometimes(fc.oneof(future, past), 8),
  peak: sometimes(fc.record({ inFlight: fc.nat(6), since: past }), 1),
  reserved: sometimes(fc.nat(3), 15),
  limit: sometimes(limitRow, 15),
});
export type PresetRow = typeof presetRow extends fc.Arbitrary<infer T> ? T : never;

const UNASKED = {
  declared: true,
  foreign: false,
  demand: undefined,
  order: undefined,
  backOff: undefined,
  reserved: undefined,
  limit: undefined,
} as const;

/** One that may leave, most likely. */
const calmReplica = replicaRow.map((row) => ({ ...row, older: 'no' as const }));
const calmState = fc.record({
  kind: fc.constant('ready' as const),
  since: past,
  loadTime: fc.constantFrom(0, 20_000, 120_000),
});
const calm = fc.tuple(calmReplica, calmState, rarely(6)).map(([row, state, isBusy]) => ({
  ...row,
  state: isBusy ? row.state : state,
  inFlight: isBusy ? row.inFlight : 0,
}));

/** A preset that nobody asks for, and that is loaded. */
export const loadedRow = fc
  .record({ row: presetRow, replicas: fc.array(calm, { minLength: 1, maxLength: 2 }), isBusy: rarely(2) })
  .map(({ row, replicas: quiet, isBusy }): PresetRow => {
    const replicas = isBusy ? quiet.map((one) => ({ ...one, inFlight: 1 })) : quiet;
    return { ...row, ...UNASKED, pool: 0, replicas, idleTimeout: 0 };
  });

/** A preset that somebody asks for, and that is not. */
export const askedRow = fc.record({ row: presetRow, since: before }).map(({ row, since }): PresetRow => ({
  ...row,
  ...UNASKED,
  pool: 0,
  footprint: new Map([...row.footprint].map(([name, amount]) => [name, 2 * amount])),
  minReplicas: 0,
  autoload: true,
  replicas: [],
  demand: since,
}));
