import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PoolName } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive, type Replica } from '../domain/replica.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import { amountOf, covers, plus, type Resources } from '../domain/resources.ts';
import { ageOf, checkPlans, frozen, isForRoom, outcomesOf, presetOf, wishesOf } from '../testing/planner-checks.ts';
import {
  beneficiaryOf,
  binsOf,
  cancelsOf,
  compulsionsOf,
  drainsOf,
  findPool,
  holdersOf,
  idleSinceOf,
  inFlightAt,
  isAskedFor,
  isCurrent,
  isIdle,
  isServing,
  lieIn,
  presetsOf,
  replicaOf,
  startsOf,
  stayingOf,
  usedOf,
  worthOf,
  type Start,
} from '../testing/planner-oracle.ts';
import { plan } from './plan.ts';
import type { PlanInput } from './plan-input.ts';

describe('what is started', () => {
  it('never exceeds any resource of any bin nor the number of replicas, counting all that is not gone', () => {
    checkPlans((input, made) => {
      for (const pool of input.pools) {
        const starts = startsOf(made).filter(({ preset }) => preset.pool === pool.name);
        const holders = holdersOf(input, pool);
        if (starts.length > 0 && pool.maxLoaded > 0) assert.ok(holders.length + starts.length <= pool.maxLoaded);
        for (const bin of pool.bins) assertWithin(bin, starts, usedOf(bin, holders, presetsOf(input)));
      }
    });
  });
  it('is declared, lies in a bin of its pool, does not back off and is not paused', () => {
    checkPlans((input, made) => {
      for (const { preset, bin } of startsOf(made)) {
        assert.equal(presetsOf(input).get(preset.uid), preset);
        assert.equal(findPool(input, preset.pool)?.paused, false);
        assert.ok(binsOf(preset.pool, input.pools).some(({ name }) => name === bin));
        const backOff = input.backOffs.get(preset.uid);
        assert.ok(backOff === undefined || backOff.until <= input.now);
      }
    });
  });
  it('is wanted, and never more of one preset than it may have', () => {
    checkPlans((input, made) => {
      for (const { preset } of startsOf(made)) {
        const { minReplicas, maxReplicas } = preset.scaling;
        const activity = input.activity.get(preset.uid);
        const inFlight = activity?.kind === 'busy' ? activity.inFlight : 0;
        const asked = isAskedFor(preset, input) ? 1 : 0;
        const staying = stayingOf(preset.uid, input, made);
        const current = staying.filter((one) => isCurrent(one, preset));
        const isReplaced = (one: Replica): boolean =>
          one.preset === preset.uid && !current.includes(one) && isServing(one, preset);
        const replaced = input.replicas.some(isReplaced) ? 1 : 0;
        const needed = Math.max(asked, minReplicas, replaced, worthOf(inFlight, preset));
        const starts = startsOf(made).filter((start) => start.preset === preset).length;
        assert.ok(
          current.length + starts <= needed,
          `${preset.model} would have ${current.length} + ${starts} of ${needed}`,
        );
        const own = input.replicas.filter((one) => one.preset === preset.uid && one.state.kind !== 'failed');
        assert.ok(
          own.length + 1 <= maxReplicas + (own.length > current.length ? 1 : 0),
          `${preset.model} has too many`,
        );
      }
    });
  });
  it('is nothing that a bin has refused with as little in use', () => {
    checkPlans((input, made) => {
      for (const { preset, bin } of startsOf(made))
        for (const limit of input.learnedLimits) {
          if (limit.pool !== preset.pool || limit.bin !== bin || limit.until <= input.now) continue;
          if (!covers(preset.footprint, limit.footprint)) continue;
          const holders = input.replicas.filter((one) => one.pool === limit.pool && one.state.kind !== 'failed');
          const lying = holders.filter((one) => lieIn(one, bin));
          const used = plus(usedOf({ name: bin, size: undefined }, holders, presetsOf(input)), preset.footprint);
          assert.ok(lying.length + 1 < limit.replicas || !covers(used, limit.total), `${preset.model} in ${bin}`);
        }
    });
  });
});

describe('what is stopped', () => {
  it('is what drains and is known to have nothing in flight, unless its drain is taken back', () => {
    checkPlans((input, made) => {
      const returning = cancelsOf(made);
      const expected = input.replicas
        .filter(({ id, state }) => state.kind === 'draining' && input.inFlight.get(id) === 0 && !returning.includes(id))
        .map(({ id }) => id);
      const stopped = made.actions.flatMap((action) => (action.kind === 'stop' ? [action.replica] : []));
      assert.deepEqual(stopped.toSorted(), expected.toSorted());
    });
  });
});

describe('what is drained', () => {
  it('is live, and for a reason that holds', () => {
    checkPlans((input, made) => {
      for (const { replica: id, cause } of drainsOf(made)) {
        const replica = replicaOf(input, id);
        assert.ok(isLive(replica), id);
        const forced = compulsionsOf(replica, input);
        assert.ok(
          ['idle', 'evicted', 'surplus', 'capacity', 'fairness', ...forced].includes(cause.kind),
          `${id} ${cause.kind}`,
        );
        if (cause.kind === 'idle' || cause.kind === 'evicted') assertMayGo(input, id);
      }
    });
  });
  it('is everything that has to go, and of what has changed all but what a new one is to replace', () => {
    checkPlans((input, made) => {
      const leaving = new Set(drainsOf(made).map(({ replica }) => replica));
      for (const replica of input.replicas.filter((one) => isLive(one) && !leaving.has(one.id))) {
        const forced = compulsionsOf(replica, input);
        assert.ok(
          forced.every((cause) => cause === 'changed'),
          `${replica.id} stays although ${forced.join()}`,
        );
        if (forced.length > 0) assertWorthStaying(input, replica.id);
      }
    });
  });
  it('is never below minReplicas for want of room or for idleness, but in a pool that the preset has left', () => {
    checkPlans((input, made) => {
      const drains = drainsOf(made);
      for (const { replica: id, cause } of drains) {
        if (!['idle', 'surplus', 'evicted', 'fairness'].includes(cause.kind)) continue;
        const { preset: uid, pool } = replicaOf(input, id);
        const preset = presetOf(input, uid);
        if (cause.kind === 'fairness' && pool !== preset.pool) continue;
        const shrunk = drains
          .filter((one) => one.cause.kind === 'capacity')
          .map(({ replica }) => replicaOf(input, replica));
        const left =
          stayingOf(preset.uid, input, made).length + shrunk.filter((one) => one.preset === preset.uid).length;
        assert.ok(left >= preset.scaling.minReplicas, `${id} leaves (${cause.kind}), and ${left} stay`);
      }
    });
  });
  it('is everything that has been idle for its timeout, and nothing sooner', () => {
    checkPlans((input, made) => {
      const drains = drainsOf(made);
      const over = input.replicas.filter((replica) => isIdledOut(input, replica.id));
      for (const { replica, cause } of drains)
        if (cause.kind === 'idle')
          assert.ok(
            over.some(({ id }) => id === replica),
            replica,
          );
      for (const { id, preset: uid } of over) {
        const preset = presetOf(input, uid);
        const ready = stayingOf(uid, input, made).filter(({ state }) => state.kind === 'ready');
        const wanted = input.demand.has(uid) || input.orders.has(uid);
        if (wanted || ready.length <= preset.scaling.minReplicas) continue;
        assert.ok(
          drains.some(({ replica }) => replica === id),
          `${id} stays`,
        );
      }
    });
  });
  it('is of surplus replicas one at a time, the least busy, after a minute in which fewer would have done', () => {
    checkPlans((input, made) => {
      const drains = drainsOf(made).filter(({ cause }) => cause.kind === 'surplus');
      const owners = drains.map(({ replica }) => replicaOf(input, replica).preset);
      assert.equal(new Set(owners).size, owners.length);
      for (const { replica: id } of drains) {
        const replica = replicaOf(input, id);
        const preset = presetOf(input, replica.preset);
        const { scaling, uid } = preset;
        const ready = input.replicas.filter((one) => one.preset === uid && one.state.kind === 'ready');
        const peak = input.peaks.get(uid);
        if (ready.length <= scaling.maxReplicas) {
          assert.ok(peak !== undefined && input.now - peak.since >= 60_000);
          assert.ok(worthOf(peak.inFlight, preset) < ready.length);
        }
        assert.ok(ready.length > Math.max(1, scaling.minReplicas));
        const here = input.inFlight.get(id);
        assert.ok(here !== undefined, 'unknown is not zero');
        const kept = inFlightAt(
          stayingOf(uid, input, made).filter(({ state }) => state.kind === 'ready'),
          input,
        );
        assert.ok(kept.every((count) => count >= here));
        const leaving = input.replicas.filter(
          (one) => one.preset === uid && !isLive(one) && one.state.kind !== 'failed',
        );
        assert.ok(
          leaving.every((one) => cancelsOf(made).includes(one.id)),
          'another one leaves',
        );
      }
    });
  });
  it('is for fairness only for one of fairAfter, of no higher priority, known, and after as long as its load took and it owes to those who waited', () => {
    checkPlans((input, made) => {
      for (const { replica: id, cause } of drainsOf(made)) {
        if (cause.kind !== 'fairness') continue;
        const { state, preset: uid, pool: name } = replicaOf(input, id);
        const pool = findPool(input, name);
        const wish = wishesOf(name, input, made).find(({ preset }) => preset.uid === cause.beneficiary);
        assert.ok(pool !== undefined && wish !== undefined && state.kind === 'ready');
        assert.ok(pool.fairAfter > 0 && input.now - wish.since >= pool.fairAfter);
        assert.ok(input.inFlight.has(id) && input.activity.has(uid) && input.activity.get(uid)?.kind !== 'unknown');
        if (input.inFlight.get(id) === 0) continue;
        assert.ok(!isOfHigher(presetOf(input, uid), name, wish.preset), `${id} is of a higher priority`);
        assert.ok(input.now - state.since >= residencyOf(pool, state), `${id} is too young`);
        const asking = input.demand.get(uid);
        const isOwed = asking !== undefined && asking.since < state.since && input.now - state.since < pool.fairAfter;
        assert.ok(!isOwed, `${id} leaves before those who have waited for it are served`);
      }
    });
  });
});

/** In a pool that a preset has left it has no priority. */
const isOfHigher = (preset: Preset, pool: PoolName, { priority }: Preset): boolean =>
  preset.pool === pool && preset.priority > priority;

const residencyOf = ({ minResidency }: Pool, { loadTime }: { readonly loadTime: number | undefined }): number =>
  loadTime === undefined ? minResidency : Math.max(minResidency, loadTime);

/** It may stay, drains for idleness, was used since that was decided, and of its pool nobody else is wanted and not served. */
function isUsedAgain(replica: Replica, input: PlanInput): boolean {
  const { state, preset: uid, pool } = replica;
  if (state.kind !== 'draining' || state.cause.kind !== 'idle') return false;
  if (compulsionsOf(replica, input).length > 0 || findPool(input, pool) === undefined) return false;
  const last = input.lastUses.get(uid);
  const isUsed = input.activity.get(uid)?.kind === 'busy' || (last !== undefined && last > state.since);
  const others = input.presets.filter((other) => other.uid !== uid && other.pool === pool);
  const isMissing = (other: Preset): boolean => {
    const serving = input.replicas.filter((one) => one.preset === other.uid && isServing(one, other)).length;
    const isWanted = isAskedFor(other, input) || serving < other.scaling.minReplicas;
    return isWanted && serving < Math.max(1, other.scaling.minReplicas);
  };
  return isUsed && !others.some(isMissing);
}

describe('what is taken back', () => {
  it('is wanted, as it is declared now, and its reason has passed', () => {
    checkPlans((input, made) => {
      for (const id of cancelsOf(made)) {
        const replica = replicaOf(input, id);
        const preset = presetOf(input, replica.preset);
        assert.ok(replica.state.kind === 'draining');
        assert.deepEqual(compulsionsOf(replica, input), []);
        assert.ok(isAskedFor(preset, input) || preset.scaling.minReplicas > 0 || isUsedAgain(replica, input));
        assert.ok(['idle', 'surplus', 'evicted', 'ordered', 'paused', 'changed'].includes(replica.state.cause.kind));
        const beneficiary = presetsOf(input).get(beneficiaryOf(replica.state.cause) ?? preset.uid);
        const fairAfter = findPool(input, replica.pool)?.fairAfter;
        if (beneficiary === undefined || beneficiary === preset || fairAfter === undefined || fairAfter === 0) continue;
        assert.ok(input.now - ageOf(beneficiary, input) < fairAfter, `${beneficiary.model} has waited for long`);
      }
    });
  });
  it('is every drain for idleness of a preset that was used since, is served by nobody, and for whose room nobody waits', () => {
    let seen = 0;
    checkPlans((world) => {
      // In most worlds somebody wants something, and few drain for idleness.
      const replicas = world.replicas.map(({ state, ...rest }): Replica => ({
        ...rest,
        state: state.kind === 'draining' ? { ...state, cause: { kind: 'idle' } } : state,
      }));
      const input = { ...world, replicas, demand: new Map(), orders: new Map() };
      const returning = cancelsOf(plan(input));
      for (const replica of input.replicas.filter((one) => isUsedAgain(one, input))) {
        const own = input.replicas.filter((one) => one.preset === replica.preset);
        if (own.some((one) => isServing(one, presetOf(input, replica.preset)))) continue;
        seen += 1;
        assert.ok(
          own.some((one) => returning.includes(one.id)),
          replica.id,
        );
      }
    });
    assert.ok(seen > 20, `only ${seen} of these`);
  });
  it('is every drain for idleness of a preset that is wanted and served by nobody', () => {
    checkPlans((input, made) => {
      for (const { id, preset: uid, state } of input.replicas) {
        if (state.kind !== 'draining' || !['idle', 'surplus'].includes(state.cause.kind)) continue;
        const preset = presetsOf(input).get(uid);
        if (preset === undefined || !isAskedFor(preset, input)) continue;
        const replica = replicaOf(input, id);
        if (compulsionsOf(replica, input).length > 0 || findPool(input, replica.pool) === undefined) continue;
        const own = input.replicas.filter((one) => one.preset === uid);
        const returns = own.some((one) => cancelsOf(made).includes(one.id));
        assert.ok(returns || own.some((one) => isServing(one, preset)), id);
      }
    });
  });
});

describe('what is said', () => {
  it('is exactly one thing of everything wanted: served, started, taken back or blocked', () => {
    checkPlans((input, made) => {
      for (const preset of input.presets) {
        const outcomes = outcomesOf(preset, input, made);
        const isWanted = isAskedFor(preset, input) || input.demand.has(preset.uid);
        const served = outcomes.includes('served');
        // Of several that minReplicas asks for, one may come and another wait.
        const most = Math.max(1, Math.min(2, preset.scaling.minReplicas));
        if (isWanted && !served)
          assert.ok(outcomes.length >= 1 && outcomes.length <= most, `${preset.model}: ${outcomes.join()}`);
        if (!isWanted && preset.scaling.minReplicas === 0) assert.ok(!outcomes.includes('blocked'), preset.model);
      }
      for (const { preset } of made.blocked) presetOf(input, preset);
      assert.equal(new Set(made.blocked.map(({ preset }) => preset)).size, made.blocked.length);
    });
  });
  it('is the place in the queue of each pool from 1 on without a gap, in the order in which wishes are granted', () => {
    checkPlans((input, made) => {
      for (const { name } of input.pools) {
        const queue = wishesOf(name, input, made).map(({ preset }) => preset.uid);
        const own = made.blocked.filter(({ preset }) => presetOf(input, preset).pool === name);
        for (const one of own.filter(({ reason }) => reason.kind !== 'WaitingForDrain'))
          assert.equal(one.position !== undefined, isForRoom(one), one.reason.kind);
        const waiting = own.filter(({ position }) => position !== undefined);
        const sorted = waiting.toSorted((a, b) => queue.indexOf(a.preset) - queue.indexOf(b.preset));
        assert.deepEqual(
          sorted.map(({ position }) => position),
          sorted.map((_, index) => index + 1),
        );
      }
    });
  });
});

describe('every plan', () => {
  it('gives at most one order to each replica', () => {
    checkPlans((_, made) => {
      const subjects = made.actions.flatMap((action) => (action.kind === 'start' ? [] : [action.replica]));
      assert.equal(new Set(subjects).size, subjects.length);
    });
  });
  it('changes nothing it is given, and is the same from the same world in whatever order it comes', () => {
    checkPlans((input, made) => {
      const turned: PlanInput = {
        ...input,
        pools: input.pools.toReversed(),
        presets: input.presets.toReversed(),
        replicas: input.replicas.toReversed(),
        learnedLimits: input.learnedLimits.toReversed(),
        demand: new Map([...input.demand].toReversed()),
        activity: new Map([...input.activity].toReversed()),
        reservations: new Map([...input.reservations].toReversed()),
      };
      assert.deepEqual(plan(frozen(turned)), made);
      assert.deepEqual([...plan(turned).reservations], [...made.reservations]);
    });
  });
});

/** Together with what is taken already; what a start takes none of may be too much before. */
function assertWithin(bin: Bin, starts: readonly Start[], taken: Resources): void {
  const here = starts.filter((start) => start.bin === bin.name).map(({ preset }) => preset.footprint);
  const used = here.reduce(plus, taken);
  for (const [name, amount] of here.flatMap((footprint) => [...footprint])) {
    if (bin.size === undefined || amount === 0) continue;
    assert.ok(amountOf(used, name) <= amountOf(bin.size, name), `${name} of ${bin.name}`);
  }
}

function assertMayGo(input: PlanInput, id: Parameters<typeof replicaOf>[1]): void {
  const replica = replicaOf(input, id);
  const preset = presetOf(input, replica.preset);
  assert.deepEqual(
    compulsionsOf(replica, input).filter((cause) => cause !== 'changed'),
    [],
  );
  assert.ok(replica.state.kind === 'ready', `${id} is not ready`);
  assert.equal(input.inFlight.get(id), 0, `${id} is in use, or nobody knows`);
  assert.ok(!input.demand.has(preset.uid) && !input.orders.has(preset.uid), `${id} is wanted`);
  const ready = input.replicas.filter((one) => one.preset === preset.uid && one.state.kind === 'ready');
  const surplus = ready.length > Math.max(1, preset.scaling.minReplicas);
  assert.ok(surplus || isIdle(replica, input), `${id} is not idle`);
}

function assertWorthStaying(input: PlanInput, id: Parameters<typeof replicaOf>[1]): void {
  const replica = replicaOf(input, id);
  const { serves, uid, scaling } = presetOf(input, replica.preset);
  assert.ok(replica.state.kind === 'ready' && replica.serves === serves, `${id} is of no use`);
  const inUse = isAskedFor(presetOf(input, uid), input) || input.activity.get(uid)?.kind !== 'idle';
  assert.ok(inUse || scaling.minReplicas > 0 || !scaling.autoload, `${id} is not in use`);
}

/** Idle for as long as its timeout says, and nothing else speaks against its end than being wanted or protected. */
function isIdledOut(input: PlanInput, id: Parameters<typeof replicaOf>[1]): boolean {
  const replica = replicaOf(input, id);
  const preset = presetsOf(input).get(replica.preset);
  if (preset === undefined || preset.scaling.idleTimeout === 0 || !isIdle(replica, input)) return false;
  if (compulsionsOf(replica, input).some((cause) => cause !== 'changed')) return false;
  return input.now - idleSinceOf(replica, input) >= preset.scaling.idleTimeout;
}
