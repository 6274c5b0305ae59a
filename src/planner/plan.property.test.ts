import { WHOLE_POOL } from '../domain/pool.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { replicaId, type PresetUid, type ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, isLive, type Replica, type ReplicaState } from '../domain/replica.ts';
import { instant, milliseconds, seconds } from '../domain/units.ts';
import { testSeed } from '../testing/seed.ts';
import {
  aPool,
  aPreset,
  drainingSince,
  planInput,
  readySince,
  scaled,
  startingSince,
  stoppingSince,
  type World,
} from '../testing/worlds.ts';
import type { Action } from './action.ts';
import { plan } from './plan.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

const time = fc.integer({ min: 0, max: 100_000 });
const state: fc.Arbitrary<ReplicaState> = fc.oneof(
  time.map(startingSince),
  fc.tuple(time, fc.integer({ min: 0, max: 5_000 })).map(([at, load]) => readySince(at, load)),
  time.map(drainingSince),
  time.map(stoppingSince),
);

/** One model's share of a world: whether it is declared, its replica, its requests. */
const model = fc.record({
  declared: fc.boolean(),
  changed: fc.boolean(),
  replica: fc.option(state, { nil: undefined }),
  busy: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  idleSince: time,
  waitingSince: fc.option(time, { nil: undefined }),
  unknown: fc.boolean(),
  minReplicas: fc.constantFrom(0 as const, 0 as const, 1 as const),
  idleTimeout: fc.constantFrom(0, 10_000),
  order: fc.constantFrom(undefined, undefined, 'load' as const, 'unload' as const),
});
type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

const world: fc.Arbitrary<World> = fc
  .record({
    now: fc.integer({ min: 50_000, max: 150_000 }),
    maxLoaded: fc.integer({ min: 0, max: 4 }),
    paused: fc.constantFrom(false, false, false, true),
    fairAfter: fc.constantFrom(0, 30_000),
    minResidency: fc.constantFrom(0, 20_000),
    models: fc.array(model, { minLength: 1, maxLength: NAMES.length }),
  })
  .map(({ now, models, maxLoaded, paused, fairAfter, minResidency }) => {
    const rows = models.map((row, index) => ({ row, preset: presetOf(NAMES.slice(index, index + 1).join(''), row) }));
    const mapOf = <T>(value: (row: Model) => T | undefined): Map<PresetUid, T> =>
      new Map(
        rows.flatMap(({ row, preset }) => {
          const found = value(row);
          return found === undefined ? [] : [[preset.uid, found]];
        }),
      );
    return {
      now,
      pools: [
        aPool({ maxLoaded, paused, fairAfter: milliseconds(fairAfter), minResidency: milliseconds(minResidency) }),
      ],
      presets: rows.flatMap(({ row, preset }) => (row.declared ? [preset] : [])),
      replicas: rows.flatMap(({ row, preset }) => (row.replica === undefined ? [] : [replicaOf(preset, row)])),
      busy: mapOf((row) => row.busy),
      idleSince: mapOf((row) => row.idleSince),
      waitingSince: mapOf((row) => (row.declared ? row.waitingSince : undefined)),
      unknown: new Set(rows.flatMap(({ row, preset }) => (row.unknown ? [preset.uid] : []))),
      orders: mapOf((row) => (row.order === undefined ? undefined : { kind: row.order, since: instant(1) })),
    };
  });

const presetOf = (name: string, row: Model): Preset =>
  scaled(aPreset(name), { minReplicas: row.minReplicas, idleTimeout: milliseconds(row.idleTimeout) });

const replicaOf = (preset: Preset, row: Model): Replica => ({
  id: replicaId(`${preset.model}#1`),
  preset: preset.uid,
  pool: preset.pool,
  bin: WHOLE_POOL,
  footprint: preset.footprint,
  rendered: row.changed ? 'older' : preset.rendered,
  serves: preset.serves,
  state: row.replica ?? startingSince(0),
});

function nextState(action: Action, now: number): Replica['state'] {
  if (action.kind === 'cancel') return readySince(now);
  if (action.kind === 'drain') return { kind: 'draining', since: instant(now), cause: action.cause };
  return stoppingSince(now);
}

/** The world after a backend has taken the actions, nothing else having happened. */
function applied(before: World, actions: readonly Action[]): World {
  const replicas = (before.replicas ?? []).map((replica) => {
    const action = actions.find((one) => one.kind !== 'start' && one.replica === replica.id);
    if (action === undefined) return replica;
    return { ...replica, state: nextState(action, before.now) };
  });
  const started = actions.flatMap((action): Replica[] =>
    action.kind === 'start'
      ? [
          {
            id: replicaId(`${action.preset.model}#2`),
            preset: action.preset.uid,
            pool: action.preset.pool,
            bin: action.bin,
            footprint: action.preset.footprint,
            rendered: action.preset.rendered,
            serves: action.preset.serves,
            state: startingSince(before.now),
          },
        ]
      : [],
  );
  return { ...before, replicas: [...replicas, ...started] };
}

const check = (property: (world: World) => void): void => {
  fc.assert(fc.property(world, property), { numRuns: 3_000, seed: testSeed() });
};

describe('every plan', () => {
  it('starts nothing beyond the limit, counting all that is not gone', () => {
    check((w) => {
      const starts = plan(planInput(w)).actions.filter((action) => action.kind === 'start').length;
      const limit = w.pools?.[0]?.maxLoaded ?? 0;
      const holding = (w.replicas ?? []).filter(holdsCapacity).length;
      assert.ok(starts === 0 || limit === 0 || holding + starts <= limit);
    });
  });
  it('stops only what drains and is known to have nothing in flight', () => {
    check((w) => {
      const input = planInput(w);
      for (const action of plan(input).actions) {
        if (action.kind !== 'stop') continue;
        const replica = input.replicas.find(({ id }) => id === action.replica);
        assert.equal(replica?.state.kind, 'draining');
        assert.equal(input.inFlight.get(action.replica), 0);
      }
    });
  });
  it('evicts and idles out only what is ready, known to be idle, unprotected and wanted by nobody', () => {
    check((w) => {
      const input = planInput(w);
      for (const action of plan(input).actions) {
        if (action.kind !== 'drain' || (action.cause.kind !== 'evicted' && action.cause.kind !== 'idle')) continue;
        const replica = input.replicas.find(({ id }) => id === action.replica);
        const preset = input.presets.find(({ uid }) => uid === replica?.preset);
        assert.ok(replica !== undefined && preset !== undefined);
        assert.equal(replica.state.kind, 'ready');
        assert.equal(input.activity.get(preset.uid)?.kind, 'idle');
        assert.equal(input.inFlight.get(replica.id), 0);
        assert.equal(preset.scaling.minReplicas, 0);
        assert.ok(!input.demand.has(preset.uid));
      }
    });
  });
  it('drains a busy replica only for one that has waited for fairAfter, or because its preset says so', () => {
    check((w) => {
      const input = planInput(w);
      for (const action of plan(input).actions) {
        if (action.kind !== 'drain' || action.cause.kind !== 'fairness') continue;
        const { beneficiary } = action.cause;
        const since = Math.min(
          input.demand.get(beneficiary)?.since ?? Infinity,
          input.orders.get(beneficiary)?.since ?? Infinity,
        );
        const fairAfter = input.pools[0]?.fairAfter ?? 0;
        assert.ok(fairAfter > 0 && input.now - since >= fairAfter);
      }
    });
  });
  it('takes the longest idle first: nobody who may go and has been idle longer stays', () => {
    check((w) => {
      const input = planInput(w);
      const idle = (uid: PresetUid): number => {
        const activity = input.activity.get(uid);
        const ready = input.replicas.find(({ preset }) => preset === uid)?.state;
        return Math.max(
          activity?.kind === 'idle' ? activity.since : Infinity,
          ready?.kind === 'ready' ? ready.since : Infinity,
        );
      };
      const drained = new Map(
        plan(input).actions.flatMap((action) => (action.kind === 'drain' ? [[action.replica, action.cause.kind]] : [])),
      );
      const residency = input.pools[0]?.minResidency ?? 0;
      const mayGo = input.replicas.filter(
        ({ id, preset, rendered, state }) =>
          state.kind === 'ready' &&
          input.now - state.since >= residency &&
          input.activity.get(preset)?.kind === 'idle' &&
          !input.demand.has(preset) &&
          !input.orders.has(preset) &&
          input.presets.some((p) => p.uid === preset && p.rendered === rendered && p.scaling.minReplicas === 0) &&
          !drained.has(id),
      );
      for (const [id, cause] of drained) {
        const victim = input.replicas.find((replica) => replica.id === id);
        if (cause !== 'evicted' || victim === undefined) continue;
        for (const kept of mayGo) assert.ok(idle(kept.preset) >= idle(victim.preset), `${kept.id} stays, ${id} goes`);
      }
    });
  });
  it('gives every wanted preset exactly one outcome: live, started, taken back or blocked with a reason', () => {
    check((w) => {
      const input = planInput(w);
      const { actions, blocked } = plan(input);
      const ofPreset = (id: ReplicaId, { uid }: Preset): boolean =>
        input.replicas.some((replica) => replica.id === id && replica.preset === uid);
      for (const preset of input.presets) {
        const wanted = input.demand.has(preset.uid) || input.orders.get(preset.uid)?.kind === 'load';
        const outcomes = [
          input.replicas.some((replica) => replica.preset === preset.uid && isLive(replica)),
          actions.some((action) => action.kind === 'start' && action.preset.uid === preset.uid),
          actions.some((action) => action.kind === 'cancel' && ofPreset(action.replica, preset)),
          blocked.some((one) => one.preset === preset.uid),
        ].filter(Boolean).length;
        if (wanted) assert.equal(outcomes, 1, preset.model);
        else assert.ok(!blocked.some((one) => one.preset === preset.uid));
      }
    });
  });
  it('gives at most one order to each replica and each preset', () => {
    check((w) => {
      const { actions } = plan(planInput(w));
      const subjects = actions.map((action) => (action.kind === 'start' ? action.preset.uid : action.replica));
      assert.equal(new Set<string>(subjects).size, subjects.length);
    });
  });
  it('does not depend on the order of its input, and does not change it', () => {
    check((w) => {
      const input = planInput(w);
      const before = structuredClone(input);
      const turned = {
        ...input,
        presets: input.presets.toReversed(),
        replicas: input.replicas.toReversed(),
        demand: new Map([...input.demand].toReversed()),
      };
      const sorted = (p: ReturnType<typeof plan>): unknown[] => [p.actions, p.blocked, p.wakeAt];
      assert.deepEqual(sorted(plan(turned)), sorted(plan(input)));
      assert.deepEqual(input, before);
    });
  });
  it('comes to rest: applied and planned again, it ends after few rounds', () => {
    check((w) => {
      let current = w;
      for (let round = 0; round < 6; round += 1) {
        const { actions } = plan(planInput(current));
        if (actions.length === 0) return;
        current = applied(current, actions);
      }
      assert.fail('still acting after six rounds');
    });
  });
  it('wakes only in the future', () => {
    check((w) => {
      const { wakeAt } = plan(planInput(w));
      assert.ok(wakeAt === undefined || wakeAt > w.now);
    });
  });
  it('never lets a wish of fairAfter wait behind a drainable replica without draining one', () => {
    check((w) => {
      const replicas = (w.replicas ?? []).slice(0, 1);
      const input = planInput({ ...w, replicas, pools: [aPool({ maxLoaded: 1, fairAfter: seconds(1) })] });
      const { blocked } = plan(input);
      const [oldest] = input.presets
        .filter(({ uid }) => input.demand.has(uid) && blocked.some((one) => one.preset === uid))
        .map(({ uid }) => ({ uid, since: input.demand.get(uid)?.since ?? 0 }))
        .sort((x, y) => x.since - y.since);
      if (oldest === undefined || input.now - oldest.since < 1_000) return;
      const reason = blocked.find((one) => one.preset === oldest.uid)?.reason.kind;
      const takeable = input.replicas.some(
        (replica) =>
          replica.state.kind === 'ready' &&
          input.now - replica.state.since >= replica.state.loadTime &&
          input.presets.some((p) => p.uid === replica.preset && p.scaling.minReplicas === 0) &&
          input.activity.has(replica.preset),
      );
      const ordersFirst = [...input.orders.values()].some((order) => order.kind === 'load');
      if (takeable && !ordersFirst) assert.equal(reason, 'WaitingForDrain');
    });
  });
});
