import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName, replicaId } from '../domain/ids.ts';
import { instant, milliseconds, minutes, seconds } from '../domain/units.ts';
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
const c = aPreset('c');

/** The plan as short lines: `start a`, `drain a#1 evicted`, `stop a#1`. */
const actionsOf = (world: World): string[] =>
  plan(planInput(world)).actions.map((action) => {
    switch (action.kind) {
      case 'start':
        return `start ${action.preset.model}`;
      case 'drain':
        return `drain ${action.replica} ${action.cause.kind}`;
      case 'cancel':
      case 'stop':
        return `${action.kind} ${action.replica}`;
    }
  });

const blockedOf = (world: World): string[] =>
  plan(planInput(world)).blocked.map(({ preset, reason }) => `${preset} ${reason.kind}`);

describe('starting', () => {
  it('starts what is waited for when there is room', () => {
    assert.deepEqual(actionsOf({ now: 1, presets: [a, b], waitingSince: new Map([[b.uid, 0]]) }), ['start b']);
  });
  it('starts nothing that nobody wants', () => {
    assert.deepEqual(actionsOf({ now: 1, presets: [a, b] }), []);
  });
  it('starts what is ordered', () => {
    const orders = new Map([[a.uid, { kind: 'load', since: instant(0) } as const]]);
    assert.deepEqual(actionsOf({ now: 1, presets: [a], orders }), ['start a']);
  });
  it('starts nothing twice', () => {
    const world = { now: 1, presets: [a], pools: [aPool({ maxLoaded: 4 })], waitingSince: new Map([[a.uid, 0]]) };
    for (const state of [startingSince(0), readySince(0)])
      assert.deepEqual(actionsOf({ ...world, replicas: [aReplica(a, state)] }), []);
  });
  it('gives a free place to the oldest wish', () => {
    const world = {
      now: 9,
      presets: [a, b],
      waitingSince: new Map([
        [a.uid, 2],
        [b.uid, 1],
      ]),
    };
    assert.deepEqual(actionsOf(world), ['start b']);
    assert.deepEqual(blockedOf(world), ['a-uid WaitingForCapacity']);
  });
  it('has no limit when the limit is 0', () => {
    const world = {
      now: 9,
      pools: [aPool({ maxLoaded: 0 })],
      presets: [a, b],
      waitingSince: new Map([
        [a.uid, 1],
        [b.uid, 2],
      ]),
    };
    assert.deepEqual(actionsOf(world), ['start a', 'start b']);
  });
  it('counts every replica that is not gone', () => {
    for (const state of [startingSince(0), drainingSince(0), stoppingSince(0)]) {
      const world = { now: 9, presets: [a, b], replicas: [aReplica(a, state)], waitingSince: new Map([[b.uid, 1]]) };
      assert.ok(!actionsOf(world).includes('start b'), state.kind);
    }
  });
  it('does not start a second replica while the old one is not gone, even if there is room', () => {
    const world = {
      now: 9,
      pools: [aPool({ maxLoaded: 2 })],
      presets: [a],
      replicas: [aReplica(a, stoppingSince(0))],
      waitingSince: new Map([[a.uid, 1]]),
    };
    assert.deepEqual(actionsOf(world), []);
    assert.deepEqual(blockedOf(world), ['a-uid WaitingForDrain']);
  });
  it('waits for the back-off to end, and says when to look again', () => {
    const world = {
      now: 9,
      presets: [a],
      waitingSince: new Map([[a.uid, 1]]),
      backOffs: new Map([[a.uid, { until: instant(20) }]]),
    };
    assert.deepEqual(blockedOf(world), ['a-uid BackOff']);
    assert.equal(plan(planInput(world)).wakeAt, 20);
    assert.deepEqual(actionsOf({ ...world, now: 20 }), ['start a']);
  });
  it('treats a missing pool as missing, not as unlimited', () => {
    const lost = { ...a, pool: poolName('lost') };
    const world = { now: 9, presets: [lost], waitingSince: new Map([[lost.uid, 1]]) };
    assert.deepEqual(actionsOf(world), []);
    assert.deepEqual(blockedOf(world), ['a-uid PoolNotFound']);
  });
  it('starts nothing in a paused pool, and drains what is there', () => {
    const world = {
      now: 9,
      pools: [aPool({ paused: true })],
      presets: [a, b],
      replicas: [aReplica(a, readySince(0))],
      waitingSince: new Map([[b.uid, 1]]),
    };
    assert.deepEqual(actionsOf(world), ['drain a#1 paused']);
    assert.deepEqual(blockedOf(world), ['b-uid PoolPaused']);
  });
});

describe('evicting', () => {
  const full = {
    now: 100,
    pools: [aPool({ maxLoaded: 2 })],
    presets: [a, b, c],
    replicas: [aReplica(a, readySince(1)), aReplica(b, readySince(2))],
    waitingSince: new Map([[c.uid, 90]]),
  };
  it('takes the one idle longest, since the end of its last request', () => {
    assert.deepEqual(
      actionsOf({
        ...full,
        idleSince: new Map([
          [a.uid, 50],
          [b.uid, 40],
        ]),
      }),
      ['drain b#1 evicted'],
    );
    assert.deepEqual(
      actionsOf({
        ...full,
        idleSince: new Map([
          [a.uid, 40],
          [b.uid, 50],
        ]),
      }),
      ['drain a#1 evicted'],
    );
  });
  it('counts a replica that was never used as idle since it was ready', () => {
    assert.deepEqual(actionsOf(full), ['drain a#1 evicted']);
  });
  it('never takes a busy, unknown, wanted, starting or protected one', () => {
    const soon = { ...full, idleSince: new Map([[b.uid, 99]]) };
    assert.deepEqual(actionsOf({ ...soon, busy: new Map([[a.uid, 1]]) }), ['drain b#1 evicted']);
    assert.deepEqual(actionsOf({ ...soon, unknown: new Set([a.uid]) }), ['drain b#1 evicted']);
    assert.deepEqual(
      actionsOf({
        ...soon,
        waitingSince: new Map([
          [c.uid, 90],
          [a.uid, 99],
        ]),
      }),
      ['drain b#1 evicted'],
    );
    assert.deepEqual(actionsOf({ ...soon, presets: [scaled(a, { minReplicas: 1 }), b, c] }), ['drain b#1 evicted']);
    const replicas = [aReplica(a, startingSince(1)), aReplica(b, readySince(2))];
    assert.deepEqual(actionsOf({ ...soon, replicas }), ['drain b#1 evicted']);
  });
  it('evicts nobody for a place that is being freed already', () => {
    const replicas = [aReplica(a, stoppingSince(1)), aReplica(b, readySince(2))];
    assert.deepEqual(actionsOf({ ...full, replicas }), []);
    assert.deepEqual(blockedOf({ ...full, replicas }), ['c-uid WaitingForDrain']);
  });
  it('lets a young replica stay for minResidency, and wakes at its end', () => {
    const pools = [aPool({ maxLoaded: 1, minResidency: milliseconds(50), fairAfter: milliseconds(0) })];
    const world = { ...full, pools, presets: [a, c], replicas: [aReplica(a, readySince(80))] };
    assert.deepEqual(actionsOf(world), []);
    assert.equal(plan(planInput(world)).wakeAt, 130);
    assert.deepEqual(actionsOf({ ...world, now: 130 }), ['drain a#1 evicted']);
  });
  it('stops a drained replica once nothing is in flight at it, and not before', () => {
    const replicas = [aReplica(a, drainingSince(1))];
    assert.deepEqual(actionsOf({ now: 9, presets: [a], replicas, busy: new Map([[a.uid, 1]]) }), []);
    assert.deepEqual(actionsOf({ now: 9, presets: [a], replicas, unknown: new Set([a.uid]) }), []);
    assert.deepEqual(actionsOf({ now: 9, presets: [a], replicas }), ['stop a#1']);
  });
});

describe('fairness', () => {
  const world = {
    now: 30_050,
    presets: [a, b],
    replicas: [aReplica(a, readySince(10, 5))],
    busy: new Map([[a.uid, 3]]),
    waitingSince: new Map([[b.uid, 50]]),
  };
  it('makes a busy model drain for one that has waited for fairAfter', () => {
    assert.deepEqual(actionsOf({ ...world, now: 30_049 }), []);
    assert.equal(plan(planInput({ ...world, now: 30_049 })).wakeAt, 30_050);
    assert.deepEqual(actionsOf(world), ['drain a#1 fairness']);
  });
  it('takes the one that has served longest', () => {
    const replicas = [aReplica(a, readySince(10)), aReplica(c, readySince(5))];
    const busy = new Map([
      [a.uid, 3],
      [c.uid, 1],
    ]);
    assert.deepEqual(actionsOf({ ...world, pools: [aPool({ maxLoaded: 2 })], presets: [a, b, c], replicas, busy }), [
      'drain c#1 fairness',
    ]);
  });
  it('lets a model serve for as long as it took to load', () => {
    const replicas = [aReplica(a, readySince(30_000, 1_000))];
    assert.deepEqual(actionsOf({ ...world, replicas }), []);
    assert.equal(plan(planInput({ ...world, replicas })).wakeAt, 31_000);
    assert.deepEqual(actionsOf({ ...world, replicas, now: 31_000 }), ['drain a#1 fairness']);
  });
  it('never happens when it is switched off, for a protected or for an unknown one', () => {
    const later = { ...world, now: 10_000_000 };
    assert.deepEqual(actionsOf({ ...later, pools: [aPool({ fairAfter: milliseconds(0) })] }), []);
    assert.deepEqual(actionsOf({ ...later, presets: [scaled(a, { minReplicas: 1 }), b] }), []);
    assert.deepEqual(actionsOf({ ...later, unknown: new Set([a.uid]) }), []);
  });
  it('keeps the freed place for the one it drained for', () => {
    const replicas = [aReplica(a, drainingSince(10))];
    const waitingSince = new Map([
      [b.uid, 50],
      [c.uid, 60],
    ]);
    const draining = { ...world, presets: [a, b, c], replicas, waitingSince };
    assert.deepEqual(blockedOf(draining), ['b-uid WaitingForDrain', 'c-uid WaitingForCapacity']);
    assert.deepEqual(actionsOf({ ...draining, replicas: [], busy: new Map() }), ['start b']);
  });
});

describe('retiring', () => {
  const replicas = [aReplica(a, readySince(10))];
  it('drains what is idle for its timeout, counted from the end of its last request', () => {
    const presets = [scaled(a, { idleTimeout: minutes(1) })];
    const world = { now: 60_019, presets, replicas, idleSince: new Map([[a.uid, 20]]) };
    assert.deepEqual(actionsOf(world), []);
    assert.equal(plan(planInput(world)).wakeAt, 60_020);
    assert.deepEqual(actionsOf({ ...world, now: 60_020 }), ['drain a#1 idle']);
    assert.deepEqual(actionsOf({ ...world, now: 90_000, busy: new Map([[a.uid, 1]]) }), []);
    assert.deepEqual(actionsOf({ ...world, now: 90_000, unknown: new Set([a.uid]) }), []);
    assert.deepEqual(actionsOf({ ...world, now: 90_000, waitingSince: new Map([[a.uid, 1]]) }), []);
  });
  it('lets an idle replica stay for ever when its timeout is 0', () => {
    const world = { now: 9e9, presets: [a], replicas };
    assert.deepEqual(actionsOf(world), []);
    assert.equal(plan(planInput(world)).wakeAt, undefined);
  });
  it('drains what is removed, changed, moved or ordered away, also when it is busy', () => {
    const busy = new Map([[a.uid, 1]]);
    const world = { now: 99, presets: [a], replicas, busy };
    assert.deepEqual(actionsOf({ ...world, presets: [] }), ['drain a#1 removed']);
    assert.deepEqual(actionsOf({ ...world, presets: [{ ...a, rendered: 'a-2' }] }), ['drain a#1 changed']);
    assert.deepEqual(actionsOf({ ...world, presets: [{ ...a, pool: poolName('other') }] }), ['drain a#1 changed']);
    const orders = new Map([[a.uid, { kind: 'unload', since: instant(1) } as const]]);
    assert.deepEqual(actionsOf({ ...world, orders }), ['drain a#1 ordered']);
  });
  it('drains what a lowered limit no longer allows, idle ones first', () => {
    const two = [aReplica(a, readySince(1)), aReplica(b, readySince(2))];
    assert.deepEqual(actionsOf({ now: 99, presets: [a, b], replicas: two, busy: new Map([[a.uid, 1]]) }), [
      'drain b#1 capacity',
    ]);
    const busy = new Map([
      [a.uid, 1],
      [b.uid, 1],
    ]);
    assert.deepEqual(actionsOf({ now: 99, presets: [a, b], replicas: two, busy }), ['drain a#1 capacity']);
  });
  it('takes back the drain of an idle replica that is wanted again, and starts no second one', () => {
    const waitingSince = new Map([[a.uid, 50]]);
    const draining = [aReplica(a, drainingSince(10))];
    const world = { now: 99, presets: [a, b], replicas: draining };
    assert.deepEqual(actionsOf({ ...world, waitingSince }), ['cancel a#1']);
    assert.deepEqual(blockedOf({ ...world, waitingSince }), [], 'it is there');
    assert.deepEqual(actionsOf({ ...world, waitingSince: new Map([[b.uid, 50]]) }), ['stop a#1'], 'another is wanted');
    assert.deepEqual(actionsOf({ ...world, presets: [{ ...a, rendered: 'a-2' }], waitingSince }), ['stop a#1']);
    const evicted = { kind: 'draining', since: instant(10), cause: { kind: 'evicted', beneficiary: b.uid } } as const;
    assert.deepEqual(actionsOf({ ...world, replicas: [aReplica(a, evicted)], waitingSince }), ['stop a#1']);
  });
  it('drains again nothing that drains', () => {
    const world = { now: 99, presets: [], replicas: [{ ...aReplica(a, stoppingSince(1)), id: replicaId('a#1') }] };
    assert.deepEqual(actionsOf(world), []);
  });
});

describe('waking', () => {
  it('is due when the earliest of all reasons is', () => {
    const presets = [scaled(a, { idleTimeout: seconds(60) }), b];
    const world = {
      now: 1_000,
      presets,
      replicas: [aReplica(a, readySince(0))],
      busy: new Map([[a.uid, 1]]),
      waitingSince: new Map([[b.uid, 900]]),
    };
    assert.equal(plan(planInput(world)).wakeAt, 30_900);
    assert.equal(plan(planInput({ ...world, waitingSince: new Map() })).wakeAt, 61_000);
  });
});
