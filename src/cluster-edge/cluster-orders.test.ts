import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName, presetUid, replicaId } from '../domain/ids.ts';
import type { ReplicaState } from '../domain/replica.ts';
import { instant, milliseconds, minutes } from '../domain/units.ts';
import type { LoadFailure } from '../routing/route.ts';
import { NOTHING_SAID, type Standing } from '../routing/standing.ts';
import { drainingSince, readySince, startingSince } from '../testing/worlds.ts';
import { ClusterOrders } from './cluster-orders.ts';
import type { Urgency } from './report-budget.ts';

const A = presetUid('a-uid/a');
const NOW = 1000;
const NO_WAIT = milliseconds(0);
const FAILURE: LoadFailure = { reason: 'it broke', logTail: [], exitCode: 1, failures: 1, retryAt: instant(9) };
const FAILED: Standing = { ...NOTHING_SAID, backOff: FAILURE };

/** The orders of an edge, and what it sees of the preset. */
function newBed() {
  const bed = {
    now: NOW,
    isDeclared: true,
    isBackingOff: false,
    serves: 'a' as string | undefined,
    replicas: new Map<string, ReplicaState>(),
    changes: [] as Urgency[],
  };
  let ids = 0;
  const orders = new ClusterOrders({
    replicasOf: () =>
      [...bed.replicas].map(([id, state]) => ({
        ...{ id: replicaId(id), preset: A, pool: poolName('default'), serves: 'a' },
        state,
      })),
    isDeclared: () => bed.isDeclared,
    servesNow: () => bed.serves,
    isBackingOff: () => bed.isBackingOff,
    newId: () => `order-${(ids += 1)}`,
    now: () => instant(bed.now),
    onChange: (urgency) => bed.changes.push(urgency),
  });
  const open = (): string[] => orders.list().map(({ id, kind }) => `${kind} ${id}`);
  return { bed, orders, open };
}

describe('an order that an edge passes on', () => {
  it('is kept for a minute at least, and for as long as its client waits', () => {
    for (const [waits, kept] of [
      [NO_WAIT, minutes(1)],
      [milliseconds(10), minutes(1)],
      [minutes(10), minutes(10)],
    ] as const) {
      const { bed, orders, open } = newBed();
      assert.equal(orders.load(A, waits), 'ordered');
      assert.equal(orders.settle(), NOW + kept);
      bed.now += kept - 1;
      orders.settle();
      assert.deepEqual(open(), ['Load order-1']);
      bed.now += 1;
      assert.equal(orders.settle(), undefined);
      assert.deepEqual(open(), []);
    }
  });

  it('to load is done when a replica is ready, and one to unload when those that were there are gone', () => {
    const { bed, orders, open } = newBed();
    orders.load(A, NO_WAIT);
    bed.replicas.set('r1', startingSince(0));
    orders.settle();
    assert.deepEqual(open(), ['Load order-1']);
    assert.equal(orders.load(A, NO_WAIT), 'needless');
    bed.replicas.set('r1', readySince(0));
    orders.settle();
    assert.deepEqual(open(), []);

    assert.equal(orders.unload(A, NO_WAIT), 'ordered');
    bed.replicas = new Map([
      ['r1', drainingSince(0)],
      ['r2', readySince(0)],
    ]);
    orders.settle();
    assert.deepEqual(open(), ['Unload order-2']);
    bed.replicas.delete('r1');
    orders.settle();
    assert.deepEqual(open(), []);
    bed.replicas.clear();
    assert.equal(orders.unload(A, NO_WAIT), 'needless');
  });

  it('to load is needed after an edit of the source, and not done by what serves the old one', () => {
    const { bed, orders, open } = newBed();
    bed.replicas.set('r1', readySince(0));
    assert.equal(orders.load(A, NO_WAIT), 'needless');
    bed.serves = 'another source';
    assert.equal(orders.load(A, NO_WAIT), 'ordered');
    orders.settle();
    assert.deepEqual(open(), ['Load order-1']);
    assert.equal(orders.unload(A, NO_WAIT), 'ordered', 'what is there of whatever source can be unloaded');
    assert.deepEqual(
      orders.list().map(({ replicas }) => replicas),
      [['r1']],
    );
  });

  it('to load is not done by what runs of a preset that has no route: what it should serve nobody knows', () => {
    const { bed, orders, open } = newBed();
    orders.load(A, NO_WAIT);
    bed.replicas.set('r1', readySince(0));
    bed.serves = undefined;
    orders.settle();
    assert.deepEqual(open(), ['Load order-1']);
    bed.serves = 'a';
    orders.settle();
    assert.deepEqual(open(), []);
  });

  it('to load takes back one to unload, though what is to leave looks loaded, and is told until that was surely read', () => {
    const { bed, orders, open } = newBed();
    bed.replicas.set('r1', readySince(0));
    orders.unload(A, NO_WAIT);
    assert.equal(orders.load(A, NO_WAIT), 'ordered');
    assert.equal(orders.settle(), NOW + minutes(1));
    assert.deepEqual(open(), ['Load order-2']);
    assert.equal(orders.load(A, NO_WAIT), 'needless');
    bed.replicas.set('r1', drainingSince(0));
    bed.replicas.set('r1', readySince(0));
    bed.now += minutes(1);
    assert.equal(orders.settle(), undefined, 'the operator has read it by now');

    orders.unload(A, NO_WAIT);
    orders.load(A, NO_WAIT);
    bed.replicas.set('r2', startingSince(0));
    orders.settle();
    assert.deepEqual(open(), ['Load order-4']);
    bed.replicas.set('r2', readySince(0));
    assert.equal(orders.settle(), undefined, 'what was not there before has come for it');
    assert.deepEqual(open(), []);
  });

  it('to unload takes back one to load of which no replica is seen, and names none then', () => {
    const { bed, orders, open } = newBed();
    orders.load(A, NO_WAIT);
    assert.equal(orders.unload(A, NO_WAIT), 'ordered');
    assert.deepEqual(orders.standing(A, NOTHING_SAID), NOTHING_SAID);
    assert.equal(orders.settle(), NOW + minutes(1));
    assert.deepEqual(
      orders.list().map(({ id, kind, replicas }) => [id, kind, replicas]),
      [['order-2', 'Unload', []]],
    );
    bed.replicas.set('r1', startingSince(0));
    assert.equal(orders.unload(A, NO_WAIT), 'ordered', 'it is seen by now');
    assert.deepEqual(
      orders.list().map(({ replicas }) => replicas),
      [['r1']],
    );
    bed.now += minutes(1);
    assert.equal(orders.settle(), undefined);
    assert.deepEqual(open(), []);
  });

  it('to load ends a back-off here before its status says so, and is done when the load fails again', () => {
    const { bed, orders, open } = newBed();
    bed.isBackingOff = true;
    orders.load(A, NO_WAIT);
    assert.deepEqual(orders.standing(A, FAILED), { ...NOTHING_SAID, ordered: true });
    orders.settle();
    assert.deepEqual(
      orders.standing(A, FAILED),
      { ...NOTHING_SAID, ordered: true },
      'the status still tells of the old one',
    );
    bed.isBackingOff = false;
    orders.settle();
    bed.isBackingOff = true;
    assert.deepEqual(orders.standing(A, FAILED), { ...FAILED, ordered: true });
    orders.settle();
    assert.deepEqual(
      [open(), bed.changes],
      [[], ['waitedFor', 'canWait']],
      'it is passed on at once, and its end is no news',
    );
    assert.deepEqual(orders.standing(A, FAILED), FAILED);
  });

  it('to load is done when a load fails that had not failed before', () => {
    const { bed, orders, open } = newBed();
    orders.load(A, NO_WAIT);
    bed.isBackingOff = true;
    assert.deepEqual(orders.standing(A, FAILED).backOff, FAILURE);
    orders.settle();
    assert.deepEqual(open(), []);
  });

  it('is refused where so many are open that a report has no room for one more, and may replace one of its preset', () => {
    const { orders } = newBed();
    const uids = Array.from({ length: 64 }, (_, n) => presetUid(`many-${n}`));
    for (const uid of uids) assert.equal(orders.load(uid, NO_WAIT), 'ordered');
    assert.equal(orders.load(A, NO_WAIT), 'too-many');
    for (const uid of uids.slice(0, 1)) assert.equal(orders.load(uid, NO_WAIT), 'ordered');
    assert.equal(orders.list().length, 64);
  });

  it('ends with its preset', () => {
    const { bed, orders, open } = newBed();
    orders.load(A, NO_WAIT);
    bed.isDeclared = false;
    orders.settle();
    assert.deepEqual(open(), []);
  });
});
