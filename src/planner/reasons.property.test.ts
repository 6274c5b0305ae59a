import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PresetUid } from '../domain/ids.ts';
import { WAIT_REASONS } from '../domain/wait-reason.ts';
import { checkPlans, presetOf } from '../testing/planner-checks.ts';
import { binsOf, couldHold, findPool, holdersAfter } from '../testing/planner-oracle.ts';
import type { Blocked, BlockedReason } from './action.ts';
import type { Plan, PlanInput } from './plan-input.ts';

type Check<K extends BlockedReason['kind']> = (
  reason: Extract<BlockedReason, { readonly kind: K }>,
  uid: PresetUid,
  world: { readonly input: PlanInput; readonly made: Plan },
) => boolean;

const isPaused = (uid: PresetUid, input: PlanInput): boolean | undefined =>
  findPool(input, presetOf(input, uid).pool)?.paused;

const isLarge = (uid: PresetUid, input: PlanInput): boolean => {
  const { pool, footprint } = presetOf(input, uid);
  return !binsOf(pool, input.pools).some((bin) => couldHold(bin, footprint));
};

const isBackingOff = (uid: PresetUid, { backOffs, now }: PlanInput): boolean => {
  const backOff = backOffs.get(uid);
  return backOff !== undefined && backOff.until > now;
};

/** Who holds the pool's room, or will when the plan is carried out. */
const holdersIn = (uid: PresetUid, input: PlanInput, made: Plan): ReadonlySet<PresetUid> => {
  const pool = findPool(input, presetOf(input, uid).pool);
  return new Set(pool === undefined ? [] : holdersAfter(input, pool, made).map(({ preset }) => preset));
};

/** What each reason says has to be so. */
const CHECKS: { readonly [K in BlockedReason['kind']]: Check<K> } = {
  PoolNotFound: ({ pool }, uid, { input }) => presetOf(input, uid).pool === pool && isPaused(uid, input) === undefined,
  PoolPaused: (_, uid, { input }) => isPaused(uid, input) === true,
  NotAccepted: () => false,
  AutoloadOff: (_, uid, { input }) => !presetOf(input, uid).scaling.autoload && input.orders.get(uid)?.kind !== 'load',
  BackOff: ({ until }, uid, { input }) => input.backOffs.get(uid)?.until === until && until > input.now,
  TooLarge: ({ footprint }, uid, { input }) => isLarge(uid, input) && footprint === presetOf(input, uid).footprint,
  WaitingForDrain: ({ leaving }, uid, { input, made }) => {
    const holders = holdersIn(uid, input, made);
    return leaving.length > 0 && leaving.every((one) => one === uid || holders.has(one));
  },
  Unschedulable: ({ until }, _, { input }) =>
    until > input.now && input.learnedLimits.some((limit) => limit.until === until),
  Reserved: ({ beneficiary }, uid, { input }) =>
    beneficiary !== uid && presetOf(input, beneficiary).pool === presetOf(input, uid).pool,
  MinResidency: ({ until }, uid, { input }) => {
    const pool = findPool(input, presetOf(input, uid).pool);
    return pool !== undefined && until > input.now && until <= input.now + pool.minResidency;
  },
  ActivityUnknown: ({ presets }, uid, { input, made }) => {
    const holders = holdersIn(uid, input, made);
    return presets.length > 0 && presets.every((one) => holders.has(one) && mayBeUnknown(one, input));
  },
  HigherPriority: ({ holders }, uid, { input }) =>
    holders.length > 0 && holders.every((one) => presetOf(input, one).priority > presetOf(input, uid).priority),
  WaitingForCapacity: ({ holders }, uid, { input, made }) => {
    const found = holdersIn(uid, input, made);
    return found.size > 0 && holders.every((one) => found.has(one));
  },
};

function mayBeUnknown(uid: PresetUid, { activity, inFlight, replicas }: PlanInput): boolean {
  const seen = activity.get(uid);
  const own = replicas.filter(({ preset }) => preset === uid);
  return seen === undefined || seen.kind === 'unknown' || own.some(({ id }) => !inFlight.has(id));
}

/** Those before it in the list hold of nothing that says another. */
function assertFirst({ preset: uid, reason }: Blocked, input: PlanInput): void {
  const place = ORDER.findIndex((kind) => kind === reason.kind);
  const isAfter = (kind: (typeof ORDER)[number]): boolean => place < 0 || place > ORDER.indexOf(kind);
  if (isAfter('PoolNotFound')) assert.notEqual(isPaused(uid, input), undefined);
  if (isAfter('PoolPaused')) assert.equal(isPaused(uid, input), false);
  if (isAfter('BackOff')) assert.ok(!isBackingOff(uid, input));
  if (isAfter('TooLarge') && input.orders.get(uid)?.kind !== 'unload') assert.ok(!isLarge(uid, input));
}

const ORDER = ['PoolNotFound', 'PoolPaused', 'AutoloadOff', 'BackOff', 'TooLarge'] as const;

function holds<K extends BlockedReason['kind']>(
  kind: K,
  reason: Extract<BlockedReason, { readonly kind: K }>,
  uid: PresetUid,
  world: { readonly input: PlanInput; readonly made: Plan },
): boolean {
  return CHECKS[kind](reason, uid, world);
}

describe('the reason why something waits', () => {
  it('is a word of the closed list, and each word is one', () => {
    assert.deepEqual(Object.keys(CHECKS).sort(), [...WAIT_REASONS].sort());
  });
  it('is so', () => {
    checkPlans((input, made) => {
      for (const { preset, reason } of made.blocked)
        assert.ok(holds(reason.kind, reason, preset, { input, made }), reason.kind);
    });
  });
  it('is the first one of the list that holds', () => {
    checkPlans((input, made) => {
      for (const one of made.blocked) assertFirst(one, input);
    });
  });
});
