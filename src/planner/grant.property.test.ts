import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { checkPlans } from '../testing/planner-checks.ts';
import { enoughSets, firstWishes, isEnough, type FirstWish } from '../testing/planner-first-wish.ts';
import { beneficiaryOf, drainsOf, replicaOf, startsOf } from '../testing/planner-oracle.ts';
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
  checkPlans(
    (input, made) => {
      for (const first of firstWishes(input, made)) {
        if (stageOf(first, input) === stage) property(caseOf(first, input, made));
      }
    },
    { memories: false, crowds: false, presets: 6, runs: 3_000 },
  );
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
  evict: (first, input) => enoughSets(first.idle, first.soon, first, input).length > 0,
  later: fitsWithout(({ later }) => later),
  evictLate: (first, input) => enoughSets(first.idle, first.later, first, input).length > 0,
  fair: (first, input) =>
    first.isOverAge && enoughSets([...first.idle, ...first.inUse], first.later, first, input).length > 0,
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

/** What others leave counts as gone. */
function assertBestVictims(one: Case, others: ReadonlySet<Replica>): void {
  const { first, input, victims, causes } = one;
  assertWaits(one);
  assert.deepEqual([...causes], ['evicted']);
  for (const victim of victims) assert.ok(first.idle.includes(victim), `${victim.id} may not be evicted`);
  const sets = enoughSets(first.idle, others, first, input);
  assertNeeded(victims, sets);
  const place = (set: readonly Replica[]): number => Math.max(...set.map((some) => first.idle.indexOf(some)));
  const best = Math.min(...sets.map(place));
  assert.equal(place(victims), best, 'a set whose last member has been idle longer would do');
}

function assertNeeded(victims: readonly Replica[], sets: readonly (readonly Replica[])[]): void {
  const parts = sets.filter((set) => set.every((some) => victims.includes(some)));
  assert.ok(
    parts.some((set) => set.length === victims.length),
    'it is not enough, or not in one bin',
  );
  assert.ok(!parts.some((set) => set.length < victims.length), 'fewer would do');
}

describe('the first wish of a pool', () => {
  it('is started where there is room', () => {
    checkFirst('free', ({ first, input, bin, victims }) => {
      const found = first.pool.bins.find(({ name }) => name === bin);
      assert.ok(found !== undefined, `${first.preset.model} is not started`);
      assert.ok(isEnough(new Set(), found, first, input));
      assert.deepEqual(victims, []);
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
      assertBestVictims(one, one.first.soon);
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
      assertBestVictims(one, one.first.later);
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
      assertWaits(one);
      assert.deepEqual([...causes], ['fairness']);
      const able = [...first.idle, ...first.inUse];
      for (const victim of victims) assert.ok(able.includes(victim), `${victim.id} may not be taken`);
      const sets = enoughSets(able, first.later, first, input);
      assertNeeded(victims, sets);
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
