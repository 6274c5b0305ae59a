import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName, poolName, replicaId } from '../domain/ids.ts';
import type { DrainCause } from '../domain/replica.ts';
import { instant, milliseconds, minutes, seconds } from '../domain/units.ts';
import { linesOf } from '../testing/planner-lines.ts';
import {
  aPool,
  aPreset,
  aReplica,
  drainingSince,
  planInput,
  readySince,
  scaled,
  startingSince,
  stoppingSince,
  type World,
} from '../testing/worlds.ts';
import { plan } from './plan.ts';

const a = aPreset('a');
const b = aPreset('b');
const idle = aReplica(a, readySince(10));
const wakeOf = (world: World): number | undefined => plan(planInput(world)).wakeAt;
const doesOf = (world: World): string[] => linesOf(world).does;
const evictedForB: DrainCause = { kind: 'evicted', beneficiary: b.uid };
const fairForB: DrainCause = { kind: 'fairness', beneficiary: b.uid };

describe('what drains', () => {
  it('is stopped once it is known to have nothing in flight', () => {
    const replicas = [aReplica(a, drainingSince(1, { kind: 'ordered' }))];
    const world = { now: 99, presets: [a], replicas };
    assert.deepEqual(doesOf(world), ['stop a#1']);
    assert.deepEqual(doesOf({ ...world, busy: new Map([[a.uid, 1]]) }), []);
    assert.deepEqual(doesOf({ ...world, unknown: new Set([a.uid]) }), []);
    assert.deepEqual(doesOf({ ...world, presets: [], replicas: [aReplica(a, stoppingSince(1))] }), []);
  });
});

describe('what has to go', () => {
  const world = { now: 99, presets: [a], replicas: [idle], busy: new Map([[a.uid, 1]]) };
  const unload = new Map([[a.uid, { kind: 'unload', since: instant(1) } as const]]);
  const paused = [aPool({ paused: true })];
  it('drains also when it is in use, for the first reason that holds', () => {
    assert.deepEqual(doesOf({ ...world, presets: [], orders: unload, pools: paused }), ['drain a#1 removed']);
    const served = { ...a, rendered: 'a-2', serves: 'a-model-2' };
    assert.deepEqual(doesOf({ ...world, presets: [served], orders: unload }), ['drain a#1 changed']);
    assert.deepEqual(doesOf({ ...world, orders: unload, pools: paused }), ['drain a#1 ordered']);
    assert.deepEqual(doesOf({ ...world, pools: paused }), ['drain a#1 paused']);
  });
  it('drains as well while it starts, and not a second time', () => {
    assert.deepEqual(doesOf({ ...world, presets: [], replicas: [aReplica(a, startingSince(1))] }), [
      'drain a#1 removed',
    ]);
    assert.deepEqual(
      doesOf({ ...world, presets: [], replicas: [aReplica(a, drainingSince(1))], inFlight: new Map([[idle.id, 1]]) }),
      [],
    );
  });
});

describe('what has changed', () => {
  const edited = { ...a, rendered: 'a-2' };
  const newer = aReplica(edited, readySince(50), { id: replicaId('a#2') });
  const two = [aPool({ maxLoaded: 2 })];
  const busy = new Map([[a.uid, 1]]);
  const world = { now: 99, presets: [edited], replicas: [idle], busy, pools: two };
  it('stays in use until the new one is ready, where both have room', () => {
    assert.deepEqual(doesOf(world), ['start a in pool']);
    const starting = aReplica(edited, startingSince(50), { id: newer.id });
    assert.deepEqual(doesOf({ ...world, replicas: [idle, starting] }), []);
    assert.deepEqual(doesOf({ ...world, replicas: [idle, newer] }), ['drain a#1 changed']);
  });
  it('drains at once where there is no room for both, or one that waits could use it', () => {
    assert.deepEqual(doesOf({ ...world, pools: [aPool()] }), ['drain a#1 changed']);
    const waiting = { ...world, presets: [edited, b], waitingSince: new Map([[b.uid, 90]]) };
    assert.deepEqual(doesOf(waiting), ['drain a#1 changed', 'start b in pool']);
    const size = new Map([['gpu', 3]]);
    const sized = { ...edited, footprint: new Map([['gpu', 1]]) };
    const held = { ...aPreset('c'), footprint: sized.footprint };
    const large = { ...b, footprint: size };
    const blocked = {
      ...waiting,
      pools: [aPool({ maxLoaded: 0, bins: [{ name: binName('pool'), size }] })],
      presets: [sized, large, held],
      replicas: [{ ...idle, footprint: sized.footprint }, aReplica(held, readySince(10))],
      busy: new Map([...busy, [held.uid, 1]]),
    };
    assert.deepEqual(doesOf(blocked), ['drain a#1 changed'], 'what is free could be of use to b');
  });
  it('stays while the new one backs off, and drains at once where nobody uses it', () => {
    const backOffs = new Map([[a.uid, { until: instant(200) }]]);
    assert.deepEqual(doesOf({ ...world, backOffs }), []);
    assert.equal(wakeOf({ ...world, backOffs }), 200);
    assert.deepEqual(doesOf({ ...world, busy: new Map() }), ['drain a#1 changed']);
    assert.deepEqual(doesOf({ ...world, busy: new Map(), presets: [scaled(edited, { autoload: false })] }), [
      'start a in pool',
    ]);
    assert.deepEqual(doesOf({ ...world, busy: new Map(), unknown: new Set([a.uid]) }), ['start a in pool']);
  });
  it('drains at once where it serves another model, whoever uses it', () => {
    assert.deepEqual(doesOf({ ...world, presets: [{ ...edited, serves: 'other' }] }), ['drain a#1 changed']);
  });
  it('is also what lies in another pool than it is declared for', () => {
    const moved = { ...a, pool: poolName('other') };
    assert.deepEqual(doesOf({ ...world, busy: new Map(), presets: [moved] }), ['drain a#1 changed']);
  });
});

describe('a pool that was made smaller', () => {
  const other = aReplica(b, readySince(20));
  const world = { now: 99, presets: [a, b], replicas: [idle, other] };
  it('drains idle ones first, then those that have served longest, then protected ones', () => {
    assert.deepEqual(doesOf({ ...world, busy: new Map([[a.uid, 1]]) }), ['drain b#1 capacity']);
    const busy = new Map([
      [a.uid, 1],
      [b.uid, 1],
    ]);
    assert.deepEqual(doesOf({ ...world, busy }), ['drain a#1 capacity']);
    assert.deepEqual(doesOf({ ...world, busy, presets: [scaled(a, { minReplicas: 1 }), b] }), ['drain b#1 capacity']);
  });
  it('drains nothing of what nobody knows, nor what would make no room', () => {
    assert.deepEqual(doesOf({ ...world, unknown: new Set([a.uid, b.uid]) }), []);
    const size = new Map([['gpu', 1]]);
    const pools = [aPool({ maxLoaded: 0, bins: [{ name: binName('pool'), size }] })];
    const large = { ...b, footprint: new Map([['gpu', 2]]) };
    const both = { ...world, pools, presets: [a, large], replicas: [idle, aReplica(large, readySince(20))] };
    assert.deepEqual(doesOf(both), ['drain b#1 capacity']);
    assert.deepEqual(doesOf({ ...both, unknown: new Set([b.uid]) }), [], 'a takes nothing of what is too much');
  });
});

describe('an idle timeout', () => {
  const presets = [scaled(a, { idleTimeout: minutes(1) })];
  const world = { now: 60_020, presets, replicas: [idle], idleSince: new Map([[a.uid, 20]]) };
  it('counts from the end of the last request, and the planner wakes at its end', () => {
    assert.deepEqual(doesOf({ ...world, now: 60_019 }), []);
    assert.equal(wakeOf({ ...world, now: 60_019 }), 60_020);
    assert.deepEqual(doesOf(world), ['drain a#1 idle']);
  });
  it('spares what is in use, unknown, wanted or protected, and never ends where it is 0', () => {
    assert.deepEqual(doesOf({ ...world, busy: new Map([[a.uid, 1]]) }), []);
    assert.deepEqual(doesOf({ ...world, unknown: new Set([a.uid]) }), []);
    assert.deepEqual(doesOf({ ...world, waitingSince: new Map([[a.uid, 1]]) }), []);
    assert.deepEqual(doesOf({ ...world, presets: [scaled(a, { idleTimeout: minutes(1), minReplicas: 1 })] }), []);
    assert.deepEqual(doesOf({ ...world, presets: [a], now: 9e9 }), []);
    assert.equal(wakeOf({ ...world, presets: [a] }), undefined);
  });
  it('of a busy one is looked at when it could end at the earliest', () => {
    assert.equal(wakeOf({ ...world, now: 1_000, busy: new Map([[a.uid, 1]]) }), 61_000);
  });
});

describe('replicas that are more than is needed', () => {
  const many = scaled(a, { maxReplicas: 3, targetInFlight: 2 });
  const replicas = [1, 2, 3].map((n) => aReplica(many, readySince(10), { id: replicaId(`a#${n}`) }));
  const inFlight = new Map(replicas.map(({ id }, index) => [id, index === 0 ? 2 : 1]));
  const peaks = new Map([[a.uid, { inFlight: 4, since: instant(0) }]]);
  const busy = new Map([[a.uid, 4]]);
  const world = { now: 60_000, pools: [aPool({ maxLoaded: 0 })], presets: [many], replicas, inFlight, busy, peaks };
  it('leave one at a time, the least busy, when a minute has shown that fewer do', () => {
    assert.deepEqual(doesOf(world), ['drain a#2 surplus']);
    assert.deepEqual(doesOf({ ...world, now: 59_999 }), []);
    assert.equal(wakeOf({ ...world, now: 59_999 }), 60_000);
    const leaving = [...replicas, aReplica(many, drainingSince(1), { id: replicaId('a#4') })];
    assert.deepEqual(
      doesOf({ ...world, replicas: leaving, inFlight: new Map([...inFlight, [replicaId('a#4'), 1]]) }),
      [],
    );
  });
  it('stay while the peak needs them, or nobody knows it', () => {
    assert.deepEqual(doesOf({ ...world, peaks: new Map([[a.uid, { inFlight: 5, since: instant(0) }]]) }), []);
    assert.deepEqual(doesOf({ ...world, peaks: new Map() }), []);
    assert.deepEqual(doesOf({ ...world, presets: [scaled(many, { minReplicas: 3 })] }), []);
  });
});

describe('a drain that is taken back', () => {
  const waitingSince = new Map([[a.uid, 50]]);
  const returns = (cause: DrainCause, more: Partial<World> = {}): boolean =>
    doesOf({
      now: 99,
      presets: [a, b],
      waitingSince,
      replicas: [aReplica(a, drainingSince(10, cause))],
      ...more,
    }).includes('cancel a#1');
  it('is one whose reason has passed', () => {
    for (const kind of ['idle', 'surplus', 'ordered', 'paused', 'changed'] as const) assert.ok(returns({ kind }), kind);
    for (const kind of ['removed', 'capacity', 'deleted', 'nodeLost', 'failed'] as const)
      assert.ok(!returns({ kind }), kind);
    assert.ok(!returns(fairForB));
  });
  it('is an eviction until its beneficiary is over-age', () => {
    const both = (since: number): Partial<World> => ({
      now: 60_000,
      waitingSince: new Map([
        [a.uid, 59_000],
        [b.uid, since],
      ]),
    });
    assert.ok(returns(evictedForB, both(30_001)));
    assert.ok(!returns(evictedForB, both(30_000)));
  });
  it('is none that nobody wants, that is ordered away, changed, paused or gone too far', () => {
    assert.ok(!returns({ kind: 'idle' }, { waitingSince: new Map([[b.uid, 50]]) }));
    assert.ok(!returns({ kind: 'idle' }, { orders: new Map([[a.uid, { kind: 'unload', since: instant(1) }]]) }));
    assert.ok(!returns({ kind: 'idle' }, { presets: [{ ...a, rendered: 'a-2' }] }));
    assert.ok(!returns({ kind: 'idle' }, { pools: [aPool({ paused: true })] }));
    assert.ok(!returns({ kind: 'idle' }, { replicas: [aReplica(a, stoppingSince(10))] }));
    assert.ok(!returns({ kind: 'idle' }, { presets: [scaled(a, { autoload: false })] }));
  });
  it('is one for idleness whose preset was used since that was decided, while nobody waits for its room', () => {
    const nobody = { waitingSince: new Map() };
    const at = (used: number): Partial<World> => ({ ...nobody, lastUses: new Map([[a.uid, instant(used)]]) });
    assert.ok(returns({ kind: 'idle' }, at(11)));
    assert.ok(!returns({ kind: 'idle' }, at(10)), 'as it was decided');
    assert.ok(!returns({ kind: 'idle' }, nobody), 'nobody knows of any use');
    assert.ok(returns({ kind: 'idle' }, { ...nobody, busy: new Map([[a.uid, 1]]) }));
    const wanted = { ...at(11), waitingSince: new Map([[b.uid, 50]]) };
    assert.ok(!returns({ kind: 'idle' }, wanted), 'b waits for its room');
    const ready = [aReplica(a, drainingSince(10)), aReplica(b, readySince(5))];
    assert.ok(returns({ kind: 'idle' }, { ...wanted, replicas: ready }), 'b is served');
    const elsewhere = { ...b, pool: poolName('other') };
    assert.ok(returns({ kind: 'idle' }, { ...wanted, presets: [a, elsewhere] }), 'b waits for other room');
    for (const cause of [{ kind: 'surplus' }, { kind: 'ordered' }, evictedForB] as const)
      assert.ok(!returns(cause, at(11)), cause.kind);
    const two = [aReplica(a, drainingSince(10)), aReplica(a, readySince(5), { id: replicaId('a#2') })];
    assert.ok(!returns({ kind: 'idle' }, { ...at(11), replicas: two }), 'another replica serves it');
  });
  it('makes another start needless', () => {
    const world = { now: 99, pools: [aPool({ maxLoaded: 2 })], presets: [a], waitingSince };
    const draining = aReplica(a, drainingSince(10));
    assert.deepEqual(linesOf({ ...world, replicas: [draining] }), { does: ['cancel a#1'], waits: [] });
    const live = aReplica(a, readySince(10), { id: replicaId('a#2') });
    assert.deepEqual(doesOf({ ...world, replicas: [draining, live] }), ['stop a#1']);
  });
});

describe('waking', () => {
  it('is due when the earliest of all reasons is', () => {
    const presets = [scaled(a, { idleTimeout: seconds(60) }), b];
    const pools = [aPool({ fairAfter: milliseconds(30_000) })];
    const world = { now: 1_000, pools, presets, replicas: [idle], busy: new Map([[a.uid, 1]]) };
    assert.equal(wakeOf({ ...world, waitingSince: new Map([[b.uid, 900]]) }), 30_900);
    assert.equal(wakeOf(world), 61_000);
  });
});
