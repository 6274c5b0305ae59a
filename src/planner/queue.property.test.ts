import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BinName, PresetUid } from '../domain/ids.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import { amountOf, covers, NO_RESOURCES, plus, type Resources } from '../domain/resources.ts';
import { checkPlans, isForRoom, presetOf, wishesOf } from '../testing/planner-checks.ts';
import { firstWishes, isProtected } from '../testing/planner-first-wish.ts';
import {
  beneficiaryOf,
  cancelsOf,
  binsOf,
  couldHold,
  drainsOf,
  findPool,
  fits,
  holdersAfter,
  holdersOf,
  isCurrent,
  presetsOf,
  replicaOf,
  startedBy,
  startsOf,
  stayingOf,
  usedOf,
  worthOf,
  type Place,
} from '../testing/planner-oracle.ts';
import type { Blocked } from './action.ts';
import type { Plan, PlanInput } from './plan-input.ts';

const PLAIN = { memories: false, crowds: false };

const blockedForRoom = (pool: Pool, input: PlanInput, made: Plan): Blocked[] =>
  made.blocked.filter((one) => isForRoom(one) && presetOf(input, one.preset).pool === pool.name);

/** For whom something is kept that drains or has drained. */
const reservedFor = (input: PlanInput): ReadonlySet<PresetUid> =>
  new Set([
    ...input.reservations.keys(),
    ...input.replicas.flatMap(({ state }) => {
      const leaves = (state.kind === 'draining' || state.kind === 'stopping') && state.cause.kind === 'fairness';
      const whom = leaves ? beneficiaryOf(state.cause) : undefined;
      return whom === undefined ? [] : [whom];
    }),
  ]);

/** One that waits for room. */
interface Queued {
  readonly preset: Preset;
  readonly pool: Pool;
  /** Those who may have room kept for them before it. */
  readonly inFront: readonly Preset[];
}

function queuesOf(input: PlanInput, made: Plan): Queued[] {
  const reserved = reservedFor(input);
  return input.pools.flatMap((pool) => {
    const waiting = blockedForRoom(pool, input, made);
    return waiting.map(({ preset: uid, position = 0 }) => {
      const isInFront = (one: Blocked): boolean => one.position !== undefined && one.position < position;
      const inFront = waiting.filter((one) => one.preset !== uid && (isInFront(one) || reserved.has(one.preset)));
      return { preset: presetOf(input, uid), pool, inFront: inFront.map((one) => presetOf(input, one.preset)) };
    });
  });
}

const sum = (footprints: readonly Resources[]): Resources => footprints.reduce(plus, NO_RESOURCES);

describe('the queue of a pool', () => {
  it('lets nobody wait for room that is there, beside what those in front may have kept for them', () => {
    checkPlans((input, made) => {
      for (const { preset, pool, inFront } of queuesOf(input, made)) {
        const { uid, footprint, scaling } = preset;
        if (holdersOf(input, pool).filter((one) => one.preset === uid).length >= scaling.maxReplicas) continue;
        const able = pool.bins.filter((bin) => {
          const kept = inFront.flatMap((one) => copiesOf(one, bin));
          return fits(footprint, { bin, pool }, [...holdersAfter(input, pool, made), ...kept], presetsOf(input));
        });
        assert.deepEqual(able, [], `${uid} would fit`);
      }
    }, PLAIN);
  });
  it('gives room to nobody before one in front of him who could have used it', () => {
    checkPlans((input, made) => {
      const reserved = reservedFor(input);
      for (const { preset: waiting, pool, inFront } of queuesOf(input, made)) {
        if (waiting.scaling.minReplicas > 1) continue;
        const queue = wishesOf(pool.name, input, made).map(({ preset }) => preset);
        const behind = queue.slice(queue.indexOf(waiting) + 1).filter(({ uid }) => !reserved.has(uid));
        for (const start of startsOf(made).filter(({ preset }) => behind.includes(preset))) {
          const bin = pool.bins.find(({ name }) => name === start.bin);
          const others = startsOf(made).filter((one) => one !== start && one.preset.pool === pool.name);
          assert.ok(bin !== undefined);
          const kept = [
            ...others.map((one, index) => startedBy(one, index)),
            ...inFront.flatMap((one) => copiesOf(one, bin)),
          ];
          const holders = [...holdersOf(input, pool), ...kept];
          assert.ok(!fits(waiting.footprint, { bin, pool }, holders, presetsOf(input)), `${waiting.uid} was first`);
        }
      }
    }, PLAIN);
  });
  it('has those leave only for one that waits for them', () => {
    checkPlans((input, made) => {
      const waiting = made.blocked
        .filter(({ reason }) => reason.kind === 'WaitingForDrain')
        .map(({ preset }) => preset);
      for (const { replica, cause } of drainsOf(made)) {
        const whom = beneficiaryOf(cause);
        if (whom === undefined) continue;
        assert.equal(presetOf(input, whom).pool, replicaOf(input, replica).pool);
        const isMore = presetOf(input, whom).scaling.minReplicas > 1;
        assert.ok(isMore || waiting.includes(whom), `${replica} leaves for ${whom}, which does not wait for it`);
      }
    });
  });
  it('keeps for one of fairAfter what is free in a bin that it may get one day, as far as it needs it', () => {
    checkPlans(
      (input, made) => {
        for (const first of firstWishes(input, made)) {
          const { pool, preset, isOverAge } = first;
          const reason = made.blocked.find((one) => one.preset === preset.uid)?.reason.kind;
          if (!isOverAge || reason === undefined || reason === 'WaitingForDrain') continue;
          const never = first.holders.filter((one) => isProtected(one, first.holders, input));
          const kept = pool.bins.filter((bin) => fits(preset.footprint, { bin, pool }, never, presetsOf(input)));
          if (kept.length === 0) continue;
          assert.ok(
            kept.some((bin) => isKept({ bin, pool }, preset, input, made)),
            `${preset.model} is passed over`,
          );
        }
      },
      { ...PLAIN, presets: 6, runs: 3_000 },
    );
  });
});

describe('a reservation', () => {
  it('is there only for one that waits, in a bin of its pool', () => {
    checkPlans((input, made) => {
      for (const [uid, bin] of made.reservations) {
        const preset = presetOf(input, uid);
        assert.ok(binsOf(preset.pool, input.pools).some(({ name }) => name === bin));
        assert.ok(
          wishesOf(preset.pool, input, made).some((wish) => wish.preset === preset),
          `${uid} is wanted no more`,
        );
        assert.ok(!startsOf(made).some((start) => start.preset === preset) || preset.scaling.minReplicas > 1);
      }
    });
  });
  it('lasts for as long as it waits, and what is free and what leaves is enough', () => {
    checkPlans((input, made) => {
      for (const pool of input.pools) {
        const reserved = [...reservedFor(input)].filter((uid) => presetsOf(input).get(uid)?.pool === pool.name);
        const isRefused = input.learnedLimits.some((limit) => limit.pool === pool.name && limit.until > input.now);
        const [uid, ...others] = reserved;
        if (uid === undefined || others.length > 0 || isRefused) continue;
        const preset = presetOf(input, uid);
        const bin = pool.bins.find(({ name }) => keptIn(uid, pool, input).includes(name));
        const waits = blockedForRoom(pool, input, made).some((one) => one.preset === uid);
        if (!waits || bin === undefined || preset.scaling.minReplicas > 1) continue;
        const staying = holdersOf(input, pool).filter((one) => staysAtFirst(one, made));
        if (fits(preset.footprint, { bin, pool }, staying, presetsOf(input)))
          assert.ok(made.reservations.has(uid), `${uid} has lost it`);
      }
    });
  });
  it('gives what leaves to nobody else, of whatever priority', () => {
    checkPlans(
      (input, made) => {
        for (const pool of input.pools) {
          const kept = [...made.reservations].filter(
            ([uid]) =>
              presetOf(input, uid).pool === pool.name && input.reservations.get(uid) === made.reservations.get(uid),
          );
          const uids = reservedFor(input);
          const starts = startsOf(made).filter(({ preset }) => preset.pool === pool.name && !uids.has(preset.uid));
          const staying = holdersOf(input, pool).filter((one) => stayingOf(one.preset, input, made).includes(one));
          const spare = pool.maxLoaded - staying.length - kept.length;
          if (pool.maxLoaded > 0 && spare >= 0) assert.ok(starts.length <= spare, 'it has lost its place');
          for (const bin of pool.bins) {
            const own = kept.filter(([, name]) => name === bin.name).map(([uid]) => presetOf(input, uid).footprint);
            const used = plus(usedOf(bin, staying, presetsOf(input)), sum(own));
            assertLeft(
              bin,
              used,
              sum(starts.filter((one) => one.bin === bin.name).map(({ preset }) => preset.footprint)),
            );
          }
        }
      },
      { crowds: false, runs: 3_000 },
    );
  });
});

describe('what is started besides', () => {
  it('takes nothing that one who waits could use, and has nobody leave', () => {
    checkPlans((input, made) => {
      for (const { preset, bin: name } of startsOf(made)) {
        const pool = findPool(input, preset.pool);
        assert.ok(pool !== undefined);
        if (wishesOf(pool.name, input, made).some((wish) => wish.preset === preset)) continue;
        assert.ok(!drainsOf(made).some(({ cause }) => beneficiaryOf(cause) === preset.uid));
        const bin = pool.bins.find((one) => one.name === name);
        for (const one of blockedForRoom(pool, input, made)) {
          assert.equal(pool.maxLoaded, 0, `${one.preset} could use the place`);
          assert.ok(
            bin !== undefined && !couldHold(bin, presetOf(input, one.preset).footprint),
            `${one.preset} could use ${name}`,
          );
        }
      }
    });
  });
  it('is as much as the requests in flight are worth, where there is room and nobody waits', () => {
    checkPlans((input, made) => {
      for (const pool of input.pools.filter((one) => !one.paused && blockedForRoom(one, input, made).length === 0)) {
        const holders = holdersAfter(input, pool, made);
        for (const preset of input.presets.filter((one) => one.pool === pool.name && hasTooFew(one, input, made))) {
          const able = pool.bins.filter((bin) => fits(preset.footprint, { bin, pool }, holders, presetsOf(input)));
          assert.deepEqual(able, [], `${preset.model} has too few`);
        }
      }
    }, PLAIN);
  });
});

describe('what the scheduler has refused', () => {
  it('has nobody leave for it a second time before the back-off ends', () => {
    checkPlans((input, made) => {
      for (const { preset: uid, until, spent, footprint } of input.learnedLimits) {
        const preset = presetsOf(input).get(uid);
        if (!spent || until <= input.now || preset === undefined || !covers(preset.footprint, footprint)) continue;
        assert.ok(!drainsOf(made).some(({ cause }) => beneficiaryOf(cause) === uid), uid);
      }
    });
  });
});

/** Fewer than its requests are worth, of which one is ready, and it may have more. */
function hasTooFew(preset: Preset, input: PlanInput, made: Plan): boolean {
  const { uid, scaling } = preset;
  const activity = input.activity.get(uid);
  const backOff = input.backOffs.get(uid);
  if (activity?.kind !== 'busy' || input.orders.has(uid)) return false;
  if (backOff !== undefined && backOff.until > input.now) return false;
  const current = stayingOf(uid, input, made).filter((one) => isCurrent(one, preset));
  const starts = startsOf(made).filter((start) => start.preset === preset).length;
  const held = input.replicas.filter((one) => one.preset === uid && one.state.kind !== 'failed').length;
  if (!current.some(({ state }) => state.kind === 'ready') || held + starts >= scaling.maxReplicas) return false;
  return current.length + starts < worthOf(activity.inFlight, preset);
}

/** Where what stays and what is kept fit, what comes has not taken of it. */
function assertLeft({ name: bin, size }: Bin, used: Resources, more: Resources): void {
  for (const [name, amount] of size === undefined ? [] : size) {
    const left = amount - amountOf(used, name);
    assert.ok(left < 0 || amountOf(more, name) <= left, `${name} of ${bin} is taken`);
  }
}

/** Where room is kept for it, or was before a restart. */
function keptIn(uid: PresetUid, pool: Pool, { reservations, replicas }: PlanInput): (BinName | undefined)[] {
  const drains = replicas.flatMap(({ bin, state, pool: name }) => {
    const leaves = name === pool.name && (state.kind === 'draining' || state.kind === 'stopping');
    return leaves && state.cause.kind === 'fairness' && state.cause.beneficiary === uid ? [bin] : [];
  });
  return [reservations.get(uid), ...drains].filter((bin) => bin !== undefined);
}

/** Before anybody leaves for another's sake. */
function staysAtFirst({ id, state }: Replica, made: Plan): boolean {
  if (state.kind === 'draining' || state.kind === 'stopping') return cancelsOf(made).includes(id);
  const drain = drainsOf(made).find(({ replica }) => replica === id);
  return drain === undefined || drain.cause.kind === 'changed' || beneficiaryOf(drain.cause) !== undefined;
}

/** As many as it may still want, as if they were in this bin. */
const copiesOf = (preset: Preset, { name: bin }: Bin): ReturnType<typeof startedBy>[] =>
  Array.from({ length: Math.max(1, preset.scaling.minReplicas) }, (_, index) =>
    startedBy({ kind: 'start', preset, bin }, index),
  );

/** Whether what others are given leaves of this bin, and of the pool's places, what was free and is needed. */
function isKept({ bin, pool }: Place, { footprint, uid }: Preset, input: PlanInput, made: Plan): boolean {
  const starts = startsOf(made).filter(({ preset }) => preset.pool === pool.name && preset.uid !== uid);
  const holders = holdersOf(input, pool);
  if (pool.maxLoaded > 0 && starts.length > Math.max(0, pool.maxLoaded - holders.length - 1)) return false;
  const here = sum(starts.filter((start) => start.bin === bin.name).map(({ preset }) => preset.footprint));
  const used = usedOf(bin, holders, presetsOf(input));
  return [...footprint].every(([name, need]) => {
    const free = bin.size === undefined ? Infinity : amountOf(bin.size, name) - amountOf(used, name);
    return amountOf(here, name) <= Math.max(0, free - need);
  });
}
