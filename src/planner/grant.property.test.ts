import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bin } from '../domain/pool.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { amountOf, plus } from '../domain/resources.ts';
import { checkPlans } from '../testing/planner-checks.ts';
import { enoughSets, firstWishes, isEnough, type FirstWish } from '../testing/planner-first-wish.ts';
import { beneficiaryOf, drainsOf, presetsOf, replicaOf, startsOf, usedOf } from '../testing/planner-oracle.ts';
import type { Plan, PlanInput } from './plan-input.ts';

/** What becomes of the wish of a pool that is granted first. */
interface Case {
  readonly first: FirstWish;
  readonly input: PlanInput;
  /** Those that are drained for it now, and why. */
  readonly victims: readonly Replica[];
  readonly causes: ReadonlySet<DrainCause['kind']>;
  /** Where it is started. */
  readonly bin: string | undefined;
  /** Why it is not. */
  readonly reason: string | undefined;
  readonly reserved: string | undefined;
}

function caseOf(first: FirstWish, input: PlanInput, made: Plan): Case {
  const { uid } = first.preset;
  const drains = drainsOf(made).filter(({ cause }) => beneficiaryOf(cause) === uid);
  return {
    first,
    input,
    victims: drains.map(({ replica }) => replicaOf(input, replica)),
    causes: new Set(drains.map(({ cause }) => cause.kind)),
    bin: startsOf(made).find(({ preset }) => preset.uid === uid)?.bin,
    reason: made.blocked.find(({ preset }) => preset === uid)?.reason.kind,
    reserved: made.reservations.get(uid),
  };
}

/** Tries a property of the wish of each pool that is granted first, as far as the rules before it have not decided. */
function checkFirst(stage: keyof typeof STAGES, property: (one: Case) => void): void {
  const check = (input: PlanInput, made: Plan): void => {
    for (const first of firstWishes(input, made)) {
      if (stageOf(first, input) === stage) property(caseOf(first, input, made));
    }
  };
  checkPlans(check, { memories: false, crowds: false, presets: 6, runs: 1_000 });
  checkPlans(check, { contended: true, runs: 4_000 });
}

type Test = (first: FirstWish, input: PlanInput) => boolean;
const fitsWithout =
  (gone: (first: FirstWish) => ReadonlySet<Replica>): Test =>
  (first, input) =>
    first.pool.bins.some((bin) => isEnough(gone(first), bin, first, input));

/** What decides, in the order of docs/planner.md: "What comes", 3 to 8. */
const STAGES = {
  free: fitsWithout(() => new Set()),
  soon: fitsWithout(({ soon }) => soon),
  // The victims of one that has been kept room are fixed.
  fixed: (first, input) => first.isReserved && fitsWithout(({ later }) => later)(first, input),
  evict: (first, input) => enoughSets(first.idle, first.soon, first, input).flat().length > 0,
  later: fitsWithout(({ later }) => later),
  evictLate: (first, input) => enoughSets(first.idle, first.later, first, input).flat().length > 0,
  fair: (first, input) =>
    first.isOverAge && enoughSets([...first.idle, ...first.inUse], first.later, first, input).flat().length > 0,
  wait: () => true,
} satisfies Record<'free' | 'soon' | 'fixed' | 'evict' | 'later' | 'evictLate' | 'fair' | 'wait', Test>;
const ORDER = ['free', 'soon', 'fixed', 'evict', 'later', 'evictLate', 'fair', 'wait'] as const;

function stageOf(first: FirstWish, input: PlanInput): (typeof ORDER)[number] {
  const stage = ORDER.find((one) => STAGES[one](first, input));
  assert.ok(stage !== undefined);
  return stage;
}

/** A preset below minReplicas that is served is not blocked, and says nothing. */
const assertWaits = ({ first, bin, reason }: Case): void => {
  assert.equal(bin, undefined);
  const isServed = first.holders.some((one) => one.preset === first.preset.uid && one.state.kind === 'ready');
  if (!isServed) assert.equal(reason, 'WaitingForDrain', first.preset.model);
};

/**
 * That the victims are, of all sets of one bin that are enough when the others are gone: one of which no part is enough; one
 * whose last member comes first; and of those the one that is left when who comes last is spared first.
 */
function assertBestVictims(one: Case, able: readonly Replica[], others: ReadonlySet<Replica>): void {
  const { first, input, victims } = one;
  assertWaits(one);
  for (const victim of victims) assert.ok(able.includes(victim), `${victim.id} may not leave`);
  const turnsOf = (set: readonly Replica[]): number[] => set.map((some) => able.indexOf(some)).sort((a, b) => b - a);
  const ofBins = enoughSets(able, others, first, input).map((sets) => sets.map(turnsOf));
  const chosen = turnsOf(victims);
  const isChosen = (set: readonly number[]): boolean => set.join() === chosen.join();
  assert.ok(ofBins.flat().some(isChosen), 'it is not enough, or not in one bin');
  const parts = ofBins.flat().filter((set) => set.every((turn) => chosen.includes(turn)));
  assert.ok(parts.every(isChosen), 'fewer would do');
  assert.equal(chosen[0], Math.min(...ofBins.flat().map(([last]) => Number(last))), 'others should leave before');
  const best = ofBins.map((sets) => sets.toSorted(fromTheLast)[0]);
  assert.ok(
    best.some((set) => set !== undefined && isChosen(set)),
    'others should be spared',
  );
}

/** Two sets, each in descending order: which has the earlier one where they differ first. */
function fromTheLast(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((turn, index) => turn !== b[index]);
  const [one, other] = [a[at], b[at]];
  if (one === undefined || other === undefined) return a.length - b.length;
  return one - other;
}

/** Whether the first of two bins would have less left of everything, as a part of what it has. */
function leavesLess(bin: Bin, than: Bin, { preset, holders }: FirstWish, input: PlanInput): boolean {
  if (bin.size === undefined || than.size === undefined) return bin.size !== undefined;
  const names = [...bin.size.keys()];
  const partsOf = ({ name, size }: Bin): number[] => {
    const used = plus(usedOf({ name, size }, holders, presetsOf(input)), preset.footprint);
    return names.map((resource) => {
      const all = size === undefined ? 0 : amountOf(size, resource);
      return all === 0 ? 0 : 1 - amountOf(used, resource) / all;
    });
  };
  const other = partsOf(than);
  return partsOf(bin).every((part, index) => part + 1e-9 < Number(other[index]));
}

describe('the first wish of a pool', () => {
  it('is started where there is room', () => {
    checkFirst('free', ({ first, input, bin, victims }) => {
      const found = first.pool.bins.find(({ name }) => name === bin);
      assert.ok(found !== undefined, `${first.preset.model} is not started`);
      assert.ok(isEnough(new Set(), found, first, input));
      assert.deepEqual(victims, []);
      for (const bin of first.pool.bins.filter((other) => isEnough(new Set(), other, first, input)))
        assert.ok(!leavesLess(bin, found, first, input), `${bin.name} would have less left than ${found.name}`);
    });
  });
  it('waits for what leaves soon, and evicts nobody for what that gives', () => {
    checkFirst('soon', (one) => {
      assertWaits(one);
      assert.deepEqual(one.victims, []);
    });
  });
  it('evicts no more than it needs, and those who leave first', () => {
    checkFirst('evict', (one) => {
      assert.deepEqual([...one.causes], ['evicted']);
      assertBestVictims(one, one.first.idle, one.first.soon);
    });
  });
  it('waits for all that leaves, however long that takes, before it takes from those in use', () => {
    checkFirst('later', (one) => {
      assertWaits(one);
      assert.deepEqual(one.victims, []);
    });
  });
  it('evicts besides no more than it needs where all that leaves is not enough', () => {
    checkFirst('evictLate', (one) => {
      assert.deepEqual([...one.causes], ['evicted']);
      assertBestVictims(one, one.first.idle, one.first.later);
    });
  });
  it('takes no more while its victims leave', () => {
    checkFirst('fixed', (one) => {
      assertWaits(one);
      assert.deepEqual(one.victims, []);
    });
  });
  it('takes no more from those in use than it needs after fairAfter, and has what it gets kept for it', () => {
    checkFirst('fair', (one) => {
      const { first, input, victims, causes, reserved } = one;
      assert.deepEqual([...causes], ['fairness']);
      assertBestVictims(one, [...first.idle, ...first.inUse], first.later);
      const bin = first.pool.bins.find(({ name }) => name === reserved);
      assert.ok(bin !== undefined && isEnough(new Set([...first.later, ...victims]), bin, first, input));
    });
  });
  it('waits for those that hold the room where nobody may leave, and takes from nobody', () => {
    checkFirst('wait', ({ first, victims, bin, reason }) => {
      assert.equal(bin, undefined);
      assert.deepEqual(victims, []);
      assert.notEqual(reason, 'WaitingForDrain', first.preset.model);
    });
  });
});
