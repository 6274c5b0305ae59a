import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetUid, type PresetUid } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import type { SeenModel } from './edge-record.ts';
import type { KnownEdge } from './edge-registry.ts';
import { EdgeTotals } from './edge-totals.ts';

const A = presetUid('a');
const NOTHING_SEEN: SeenModel = {
  inFlight: 0,
  waiting: 0,
  waitingSince: undefined,
  idleSince: undefined,
  startedTotal: 0,
};

function edge(
  models: readonly (readonly [PresetUid, Partial<SeenModel>])[],
  changes: Partial<KnownEdge> = {},
): KnownEdge {
  const record = {
    ...{ key: 'k', namespace: 'n', name: 'e', podUid: 'p', bootId: 'boot', sequence: 0, resourceVersion: '1' },
    heardAt: instant(0),
    models: new Map(models.map(([uid, seen]) => [uid, { ...NOTHING_SEEN, ...seen }])),
    ...{ inFlight: new Map(), acks: new Map(), orders: [] },
  };
  return { record, hasLeft: false, isUnheard: false, ...changes };
}

const waits = (waiting: number, since: number): readonly [PresetUid, Partial<SeenModel>] => [
  A,
  { waiting, waitingSince: instant(since) },
];

test('those who wait at several edges wait together, since the first of them', () => {
  for (const edges of [
    [waits(1, 70), waits(2, 50)],
    [waits(2, 50), waits(1, 70)],
  ]) {
    const totals = new EdgeTotals(edges.map((one) => edge([one])));
    assert.deepEqual(totals.demand(A), { waiting: 3, since: 50 });
  }
  assert.equal(new EdgeTotals([edge([[A, { inFlight: 4 }]])]).demand(A), undefined);
});

test('an edge that has taken its report away has nobody who waits, and what it had in flight', () => {
  const left = edge([[A, { inFlight: 2, waiting: 1, waitingSince: instant(1) }]], { hasLeft: true });
  const totals = new EdgeTotals([left, edge([[A, { inFlight: 3 }]])]);
  assert.deepEqual([totals.inFlight(A), totals.demand(A), totals.present.length], [5, undefined, 1]);
  assert.equal(totals.inFlight(presetUid('b')), 0);
});

test('an edge that is not heard of has nobody who waits, and what it had in flight, and is an edge', () => {
  const unheard = edge([[A, { inFlight: 2, waiting: 1, waitingSince: instant(1) }]], { isUnheard: true });
  const alone = new EdgeTotals([unheard]);
  assert.deepEqual([alone.inFlight(A), alone.demand(A), alone.present.length], [2, undefined, 1]);
  const totals = new EdgeTotals([unheard, edge([waits(2, 50)])]);
  assert.deepEqual(totals.demand(A), { waiting: 2, since: 50 }, 'its own, and of its own age');
});

test('without an edge, and while one cannot be read, nothing is understood', () => {
  const unread = edge([]);
  assert.equal(new EdgeTotals([]).isUnderstood, false);
  assert.equal(new EdgeTotals([edge([])]).isUnderstood, true);
  assert.equal(new EdgeTotals([edge([]), { ...unread, record: { ...unread.record, bootId: undefined } }]).isUnderstood, false); // prettier-ignore
});
