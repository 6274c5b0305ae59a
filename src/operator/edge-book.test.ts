import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Declared, LedgerChange } from '../activity/ledger.ts';
import { clusterPresetUid } from '../api/cluster/pod-settings.ts';
import { EDGE_REPORTS, LEASES, PODS } from '../api/cluster/resources.ts';
import type { EdgeReportBody } from '../api/edge-report-schema.ts';
import type { SlotLook } from '../backend/kubernetes/look-at-slots.ts';
import { replicaId, type PresetUid } from '../domain/ids.ts';
import { milliseconds, seconds } from '../domain/units.ts';
import { keptLog, startKube, type KubeBed } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { EdgeBook, type EdgeBookParts } from './edge-book.ts';
import type { ReportedOrder } from './edge-record.ts';

const A = clusterPresetUid('a-uid', 'a');
const POD = replicaId('a-pod');
const unscaled = (uid: PresetUid): Declared => ({ uid, scaling: undefined });

type Said = Partial<Pick<EdgeReportBody, 'bootId' | 'sequence' | 'models' | 'replicas' | 'acks' | 'orders'>>;

interface Bed extends KubeBed {
  readonly book: EdgeBook;
  readonly timers: ManualTimers;
  readonly log: ReturnType<typeof keptLog>;
  readonly orders: readonly ReportedOrder[];
  gate: ReturnType<EdgeBookParts['gateOf']>;
  /** What the next looks at the slots of the replica show. */
  slots: SlotLook;
  /** When the slots were looked at. */
  readonly looks: readonly number[];
  isLeading: boolean;
  /** Writes an edge's report, and the pod that it speaks of. */
  readonly says: (edge: string, said?: Said) => void;
  /** Resolves as soon as it is true; looked at after each change that is told. */
  readonly until: (isTrue: () => boolean) => Promise<void>;
  readonly closeGate: (epoch: number) => void;
  /** All changes that were told. */
  readonly changes: readonly LedgerChange[];
}

const model = (said: Partial<EdgeReportBody['models'][number]>): EdgeReportBody['models'][number] => ({
  deploymentUid: 'a-uid',
  preset: 'a',
  inFlight: 0,
  waiting: 0,
  oldestWaitSeconds: 0,
  startedTotal: 1,
  finishedTotal: 1,
  ...said,
});

const at = (inFlight: number): EdgeReportBody['replicas'] => [{ podUid: POD, inFlight }];
const ack = (epoch: number): EdgeReportBody['acks'] => [{ podUid: POD, epoch }];

/** A book that has read the reports of these edges. */
async function aBook(t: TestContext, ...edges: string[]): Promise<Bed> {
  const kube = await startKube(t);
  const [timers, log, orders] = [new ManualTimers(), keptLog(), [] as ReportedOrder[]];
  const waiting = new Set<() => void>();
  const changes: LedgerChange[] = [];
  const looks: number[] = [];
  const says: Bed['says'] = (edge, said = {}) => {
    const pod = `${edge}-pod`;
    if (kube.server.find(PODS, 'corral-system', edge) === undefined) {
      kube.server.put(PODS, {
        metadata: { name: edge, namespace: 'corral-system', uid: pod },
        status: { phase: 'Running' },
      });
    }
    const nothing = { models: [], replicas: [], acks: [], orders: [] };
    const report = { edge: { podName: edge, podUid: pod }, bootId: 'first', sequence: 0, ...nothing, ...said };
    kube.server.put(EDGE_REPORTS, {
      apiVersion: 'corral.dev/v1alpha1',
      kind: 'EdgeReport',
      metadata: { name: edge, namespace: 'corral-system' },
      report: report,
    });
  };
  for (const edge of edges) says(edge);
  const book = new EdgeBook({
    api: kube.api,
    gateOf: () => bed.gate,
    isLeading: () => bed.isLeading,
    lookAtSlots: async () => {
      looks.push(timers.now());
      for (const look of waiting) look();
      return Promise.resolve(bed.slots);
    },
    onOrder: (order) => {
      orders.push(order);
      for (const look of waiting) look();
    },
    timers,
    log,
  });
  const bed: Bed = {
    ...kube,
    book,
    timers,
    log,
    orders,
    gate: { closed: false, epoch: 0, confirmed: true },
    slots: 'idle',
    looks,
    isLeading: true,
    says,
    until: async (isTrue) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const look = (): void => {
        if (isTrue()) resolve(undefined);
      };
      waiting.add(look);
      look();
      await promise;
      waiting.delete(look);
    },
    changes,
    closeGate: (epoch) => {
      bed.gate = { closed: true, epoch, confirmed: true };
      book.gateClosed(POD, epoch);
    },
  };
  book.onChange((change) => {
    changes.push(change);
    for (const look of waiting) look();
  });
  book.declare([unscaled(A)], timers.now());
  await book.start();
  t.after(async () => book.stop());
  return bed;
}

test('without an edge nothing is known, and of a preset that is not declared neither', async (t) => {
  const { book, until, says } = await aBook(t);
  assert.equal(book.edges, 0);
  assert.deepEqual(book.activity(A), { kind: 'unknown' });
  assert.equal(book.inFlight(POD), undefined);
  says('e1');
  await until(() => book.edges === 1);
  assert.deepEqual(book.activity(A), { kind: 'idle', since: 0 });
  assert.equal(book.inFlight(POD), 0);
  assert.deepEqual(book.activity(clusterPresetUid('b-uid', 'b')), { kind: 'unknown' });
  assert.equal(book.demand(clusterPresetUid('b-uid', 'b')), undefined);
});

test('a preset is busy when any edge says so, and idle since the youngest of what they say', async (t) => {
  const { book, until, says, timers } = await aBook(t, 'e1', 'e2', 'e3');
  timers.advance(seconds(50));
  says('e1', { models: [model({ inFlight: 2, startedTotal: 3 })], replicas: at(2) });
  says('e2', { models: [model({ inFlight: 1 })], replicas: at(1) });
  await until(() => book.inFlight(POD) === 3);
  assert.deepEqual(book.activity(A), { kind: 'busy', inFlight: 3 });
  says('e1', { models: [model({ startedTotal: 3, idleSeconds: 30 })] });
  says('e2', { models: [model({ idleSeconds: 1 })] });
  await until(() => book.activity(A).kind === 'idle');
  // It was seen busy at 50 s, and idle times that reach further back are older than that.
  assert.deepEqual(book.activity(A), { kind: 'idle', since: 50_000 });
});

test('idle times survive a new operator: they are as old as the edges say', async (t) => {
  const kube = await aBook(t, 'e1', 'e2');
  kube.timers.advance(seconds(10));
  kube.says('e1', { models: [model({ idleSeconds: 3600 })] });
  kube.says('e2', { models: [model({ idleSeconds: 60 })] });
  await kube.until(
    () => kube.book.activity(A).kind === 'idle' && JSON.stringify(kube.book.activity(A)).includes('-50000'),
  );
  kube.timers.advance(seconds(5));
  const told = kube.changes.length;
  kube.says('e2', { models: [model({ idleSeconds: 62 })], sequence: 1 });
  await kube.until(() => kube.changes.length > told);
  assert.deepEqual(kube.book.activity(A), { kind: 'idle', since: -50_000 }, 'a late report makes nothing younger');
});

test('a request that began and ended between two reports is a use: the silence before it counts no more', async (t) => {
  const { book, until, says, timers, changes } = await aBook(t, 'e1');
  timers.advance(seconds(20));
  says('e1', { models: [model({ startedTotal: 1, idleSeconds: 15 })] });
  await until(() => JSON.stringify(book.activity(A)).includes('5000'));
  timers.advance(seconds(5));
  const told = changes.length;
  says('e1', { models: [model({ startedTotal: 2, finishedTotal: 2, idleSeconds: 1 })] });
  await until(() => changes.length > told);
  assert.deepEqual(book.activity(A), { kind: 'idle', since: 24_000 });
});

test('demand is as old as its oldest waiter, over all edges, and keeps its age while somebody waits', async (t) => {
  const { book, until, says, timers, changes } = await aBook(t, 'e1', 'e2');
  timers.advance(seconds(20));
  says('e1', { models: [model({ waiting: 1, oldestWaitSeconds: 5 })] });
  await until(() => book.demand(A) !== undefined);
  assert.equal(changes.at(-1), 'demand');
  says('e2', { models: [model({ waiting: 2, oldestWaitSeconds: 1 })] });
  await until(() => book.demand(A)?.waiting === 3);
  timers.advance(seconds(2));
  says('e1', { models: [model({ waiting: 4, oldestWaitSeconds: 6.5 })] });
  await until(() => book.demand(A)?.waiting === 6);
  assert.deepEqual(book.demand(A), { waiting: 6, since: 15_000 });
  says('e1');
  says('e2');
  await until(() => book.demand(A) === undefined);
  assert.equal(changes.at(-1), 'demand');
});

test('of requests that are more than the replicas of now are to have it is told once, whichever edges they come from', async (t) => {
  const { book, until, says, timers, changes } = await aBook(t, 'e1', 'e2');
  book.declare([{ uid: A, scaling: { maxReplicas: 3, targetInFlight: 2 } }], timers.now());
  const told = async (edge: string, inFlight: number): Promise<LedgerChange | undefined> => {
    const before = changes.length;
    says(edge, { models: [model({ inFlight })], replicas: at(inFlight) });
    await until(() => changes.length > before);
    return changes.at(-1);
  };
  assert.equal(await told('e1', 2), 'idle', 'one replica is enough');
  assert.equal(await told('e2', 1), 'pressure');
  assert.equal(await told('e2', 2), 'idle', 'no more than two are needed');
  assert.equal(await told('e1', 3), 'pressure');
  assert.equal(await told('e1', 0), 'idle');
  assert.equal(await told('e1', 1), 'pressure', 'again');
  book.declare([{ uid: A, scaling: { maxReplicas: 1, targetInFlight: 2 } }], timers.now());
  assert.equal(await told('e1', 9), 'idle', 'it may have one only');
});

test('behind a closed gate only the word of every edge about this very closing counts', async (t) => {
  const bed = await aBook(t, 'e1', 'e2');
  const { book, until, says } = bed;
  says('e1', { models: [model({ inFlight: 1 })], replicas: at(1), acks: ack(1) });
  await until(() => book.inFlight(POD) === 1);
  bed.gate = { closed: true, epoch: 3, confirmed: false };
  assert.equal(book.inFlight(POD), undefined, 'the gate is not known to be closed');
  bed.closeGate(3);
  assert.equal(book.inFlight(POD), undefined, 'nobody has been asked yet');
  await bed.server.until(() => bed.server.requests.filter(({ verb }) => verb === 'list').length === 2);
  says('e1', { replicas: at(1), acks: ack(1), sequence: 1 });
  says('e2', { models: [model({ waiting: 1 })], acks: ack(3) });
  await until(() => book.demand(A) !== undefined);
  assert.equal(book.inFlight(POD), undefined, 'e1 speaks of another closing');
  says('e1', { replicas: at(1), acks: ack(3) });
  await until(() => book.inFlight(POD) === 1);
  says('e1', { acks: ack(3) });
  await until(() => book.inFlight(POD) === 0);
});

test('an edge that cannot be understood any more has not said that nothing is in flight behind a closed gate', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, until, says } = bed;
  bed.closeGate(1);
  says('e1', { replicas: at(1), acks: ack(1) });
  await until(() => book.inFlight(POD) === 1);
  says('e1', { replicas: at(1), acks: ack(1), sequence: -1 });
  await until(() => book.inFlight(POD) !== 1);
  assert.equal(book.inFlight(POD), undefined);
  says('e1', { acks: ack(1) });
  await until(() => book.inFlight(POD) === 0);
});

test('the edges are listed after the gate was closed, not before, and again for the next closing', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, until, says, server } = bed;
  bed.says('e1', { acks: ack(1) });
  bed.closeGate(1);
  await until(() => book.inFlight(POD) === 0);
  const lists = server.hold({ verb: 'list', plural: 'edgereports' });
  bed.gate = { closed: false, epoch: 2, confirmed: true };
  bed.closeGate(3);
  await server.until(() => lists.arrived === 1);
  says('e1', { acks: ack(3) });
  // It registers while the list is on its way, and may have seen the gate open.
  server.breakWatches('edgereports', 'silence');
  says('e2', { replicas: at(1) });
  lists.release();
  await until(() => book.edges === 2);
  assert.equal(book.inFlight(POD), undefined);
  assert.equal(lists.arrived, 1);
});

test('with no edge at all, nobody can send anything to a pod whose gate is closed', async (t) => {
  const bed = await aBook(t);
  bed.closeGate(1);
  await bed.until(() => bed.book.inFlight(POD) === 0);
});

test('a list that fails is asked for again, and until then nothing is known', async (t) => {
  const bed = await aBook(t, 'e1');
  bed.says('e1', { acks: ack(1) });
  bed.server.fail({ verb: 'list', plural: 'edgereports' }, { kind: 'status', status: 403, reason: 'Forbidden' }, 1);
  bed.closeGate(1);
  await bed.timers.armed(100 as never);
  assert.equal(bed.book.inFlight(POD), undefined);
  bed.timers.advance(seconds(1));
  await bed.until(() => bed.book.inFlight(POD) === 0);
});

test('an edge whose report is gone counts as it spoke last, until its pod is gone', async (t) => {
  const bed = await aBook(t, 'e1', 'e2');
  const { book, until, says, server, timers } = bed;
  says('e1', { models: [model({ inFlight: 1 })], replicas: at(1) });
  says('e2', { acks: ack(1) });
  await until(() => book.inFlight(POD) === 1);
  server.finishDeletion(String(server.find(EDGE_REPORTS, 'corral-system', 'e1')?.metadata.uid));
  await until(() => book.edges === 1);
  assert.deepEqual(book.activity(A), { kind: 'busy', inFlight: 1 });
  const asked = (): number => server.requests.filter(({ verb, name }) => verb === 'get' && name === 'e1').length;
  timers.advance(seconds(3));
  await server.until(() => asked() === 1);
  bed.closeGate(1);
  assert.equal(book.inFlight(POD), undefined);
  await timers.armed(seconds(2));
  server.finishDeletion('e1-pod');
  timers.advance(seconds(3));
  await until(() => book.inFlight(POD) === 0);
  assert.deepEqual(book.activity(A), { kind: 'idle', since: 6_000 }, 'it has used the preset until it was found dead');
});

for (const [what, status] of [
  ['has ended', { phase: 'Failed' }],
  ['runs', { phase: 'Running' }],
] as const) {
  test(`a silent edge whose pod ${what} is ${status.phase === 'Failed' ? 'dead' : 'not dead'}`, async (t) => {
    const bed = await aBook(t, 'e1');
    const { book, server, timers, until } = bed;
    bed.says('e1', { models: [model({ inFlight: 1 })], replicas: at(1) });
    await until(() => book.inFlight(POD) === 1);
    server.edit(PODS, { namespace: 'corral-system', name: 'e1' }, (pod) => ({ ...pod, status }));
    timers.advance(seconds(19));
    assert.equal(
      server.requests.some(({ verb }) => verb === 'get'),
      false,
    );
    timers.advance(seconds(1));
    if (status.phase === 'Failed') await until(() => book.edges === 0);
    else {
      await timers.rearmed(seconds(20));
      assert.equal(book.inFlight(POD), 1);
    }
  });
}

test('what a dead edge knew stays, and its report, which may be there for longer, counts no more', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, until, server, timers } = bed;
  bed.says('e1', { models: [model({ idleSeconds: 30 })], replicas: at(1) });
  await until(() => book.inFlight(POD) === 1);
  server.edit(PODS, { namespace: 'corral-system', name: 'e1' }, (pod) => ({ ...pod, status: { phase: 'Failed' } }));
  timers.advance(seconds(20));
  await until(() => book.edges === 0);
  bed.says('e2', { models: [model({ idleSeconds: 60 })] });
  await until(() => book.edges === 1);
  assert.deepEqual(book.activity(A), { kind: 'idle', since: -30_000 }, 'by e1; e2 would say -40 s');
  assert.equal(book.inFlight(POD), 0);
  bed.says('e2', { acks: ack(1) });
  bed.closeGate(1);
  await until(() => book.inFlight(POD) === 0);
  assert.equal(book.edges, 1, 'e1 was listed again');
});

test('a later life of an edge owes nothing for the earlier one, and what the earlier one used is remembered', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, until, says, timers } = bed;
  timers.advance(seconds(7));
  says('e1', { models: [model({ inFlight: 1 })], replicas: at(1) });
  await until(() => book.inFlight(POD) === 1);
  const told = bed.changes.length;
  bed.closeGate(1);
  await until(() => bed.changes.length > told);
  assert.equal(book.inFlight(POD), undefined);
  timers.advance(seconds(1));
  says('e1', { bootId: 'second' });
  await until(() => book.inFlight(POD) === 0);
  assert.deepEqual(book.activity(A), { kind: 'idle', since: 8_000 });
});

test('a report that cannot be read makes everything unknown, and is told', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, until, server, log } = bed;
  server.put(EDGE_REPORTS, { metadata: { name: 'e2', namespace: 'corral-system' }, report: { bootId: 7 } });
  await until(() => book.edges === 2);
  assert.deepEqual(book.activity(A), { kind: 'unknown' });
  assert.equal(book.inFlight(POD), undefined);
  bed.closeGate(1);
  bed.says('e1', { acks: ack(1) });
  await server.until(() => server.requests.filter(({ verb }) => verb === 'list').length === 2);
  assert.equal(book.inFlight(POD), undefined);
  assert.equal(log.lines.filter((line) => line.includes('cannot be read')).length, 1);
  bed.says('e2', { replicas: at(0) });
  await until(() => book.activity(A).kind === 'idle');
  assert.equal(book.inFlight(POD), undefined, 'its word is still missing');
  bed.says('e2', { acks: ack(1) });
  await until(() => book.inFlight(POD) === 0);
});

test('an order is passed on once, when its preset is declared, and again only under another id', async (t) => {
  const bed = await aBook(t, 'e1');
  const { book, says, until, orders, timers } = bed;
  const order = { id: 'o1', kind: 'Load', deploymentUid: 'b-uid', preset: 'b', podUids: [] } as const;
  says('e1', { orders: [order as never] });
  const told = bed.changes.length;
  await until(() => bed.changes.length > told);
  assert.deepEqual(orders, []);
  const B = clusterPresetUid('b-uid', 'b');
  book.declare([unscaled(A), unscaled(B)], timers.now());
  await until(() => orders.length === 1);
  assert.deepEqual(orders[0], { id: 'o1', kind: 'load', preset: B, replicas: [] });
  const unload = { ...order, id: 'o2', kind: 'Unload', podUids: ['b-pod'] } as const;
  says('e1', { orders: [order as never, unload as never], sequence: 1 });
  await until(() => orders.length === 2);
  assert.deepEqual(orders.slice(1), [{ id: 'o2', kind: 'unload', preset: B, replicas: ['b-pod'] }]);
});

test('the peak is that of all edges together, and begins anew when one could not be understood', async (t) => {
  const { book, until, says, server, timers } = await aBook(t, 'e1', 'e2');
  assert.equal(book.peak(A, timers.now()), undefined, 'it may have one replica only');
  timers.advance(seconds(1));
  book.declare([{ uid: A, scaling: { maxReplicas: 2, targetInFlight: 1 } }], timers.now());
  assert.deepEqual(book.peak(A, timers.now()), { inFlight: 0, since: 1_000 });
  assert.equal(book.peak(clusterPresetUid('b-uid', 'b'), timers.now()), undefined);
  says('e1', { models: [model({ inFlight: 2 })] });
  says('e2', { models: [model({ inFlight: 3 })] });
  await until(() => book.peak(A, timers.now())?.inFlight === 5);
  timers.advance(seconds(2));
  says('e2');
  await until(() => isDeepStrictEqual(book.activity(A), { kind: 'busy', inFlight: 2 }));
  assert.deepEqual(book.peak(A, timers.now()), { inFlight: 5, since: 1_000 });
  server.put(EDGE_REPORTS, { metadata: { name: 'e2', namespace: 'corral-system' }, report: { bootId: 7 } });
  await until(() => book.peak(A, timers.now()) === undefined);
  timers.advance(seconds(3));
  says('e2');
  await until(() => book.activity(A).kind === 'busy');
  assert.deepEqual(book.peak(A, timers.now()), { inFlight: 2, since: 6_000 });
});

test('the order of use of an earlier leader orders those of whose use no edge tells, ends no time sooner, and makes nothing known', async (t) => {
  const bed = await aBook(t);
  const uids = ['a', 'b', 'c', 'd'].map((preset) => clusterPresetUid('a-uid', preset));
  const [a = A, b = A, c = A] = uids;
  bed.book.recall([c, a, clusterPresetUid('gone-uid', 'x'), b]);
  bed.book.declare(uids.map(unscaled), bed.timers.now());
  assert.deepEqual(new Set(uids.map((uid) => bed.book.activity(uid).kind)), new Set(['unknown']), 'there is no edge');
  bed.says('edge-1', { models: [model({ preset: 'b', idleSeconds: 30 })] });
  await bed.until(() => bed.book.edges === 1);
  const since = (uid: PresetUid): number => {
    const activity = bed.book.activity(uid);
    return activity.kind === 'idle' ? activity.since : Number.NaN;
  };
  assert.equal(since(b), -30_000, 'an edge has told of it');
  const others = uids.filter((uid) => uid !== b);
  assert.deepEqual(
    others.toSorted((one, other) => since(one) - since(other)),
    [c, a, uids[3]],
  );
  assert.ok(others.every((uid) => since(uid) >= 0));
  assert.equal(bed.book.lastUse(c), undefined, 'it is no use that is told of');
});

/** The edge renews its Lease. */
function renew({ server, timers }: Bed, edge: string): void {
  const metadata = { name: edge, namespace: 'corral-system' };
  server.put(LEASES, { metadata, spec: { holderIdentity: 'first', renewTime: String(timers.now()) } });
}

/** Passes time in which the book reads Leases every 2 s, as long as it is asked to. */
async function pass({ timers, server }: Bed, reads: number, between: () => void = () => undefined): Promise<void> {
  const asked = (): number => server.requests.filter(({ resource }) => resource.plural === 'leases').length;
  for (let read = 0; read < reads; read += 1) {
    const before = asked();
    await timers.armed(seconds(2));
    timers.advance(seconds(2));
    await server.until(() => asked() > before);
    between();
  }
  await timers.armed(seconds(2));
}

/** A gate that is closed, and an edge that does not say a word about it, beside others that do. */
async function withSilent(t: TestContext, ...others: readonly string[]): Promise<Bed> {
  const bed = await aBook(t, 'hung', ...others);
  renew(bed, 'hung');
  for (const other of others) bed.says(other, { acks: ack(1) });
  bed.closeGate(1);
  return bed;
}

const LOOK_AGAIN = milliseconds(2_020);

/** Passes the time until the next look at the slots, with the read of Leases before it. */
async function lookAgain(bed: Bed, slots: SlotLook): Promise<void> {
  bed.slots = slots;
  await bed.timers.armed(LOOK_AGAIN);
  await pass(bed, 1);
  const looks = bed.looks.length;
  bed.timers.advance(milliseconds(20));
  await bed.until(() => bed.looks.length > looks);
  await bed.timers.armed(LOOK_AGAIN);
}

test('an edge that is silent for 10 s is presumed dead when two looks at the slots show them idle, and not before', async (t) => {
  const bed = await withSilent(t, 'e1');
  await pass(bed, 5);
  assert.deepEqual(bed.looks, [], 'its Lease was read for the first time 8 s ago');
  await pass(bed, 1);
  assert.equal(bed.looks.length, 1);
  assert.equal(bed.book.inFlight(POD), undefined, 'one look is none');
  await lookAgain(bed, 'idle');
  assert.equal(bed.book.inFlight(POD), 0);
  assert.deepEqual(bed.book.unheard(POD), ['hung']);
  assert.equal(bed.log.lines.filter((line) => line.includes('looking at the slots')).length, 1);
});

test('slots that are busy, or that nobody can see, are not idle, however long an edge is silent', async (t) => {
  const bed = await withSilent(t);
  bed.slots = 'busy';
  await pass(bed, 6);
  for (const slots of ['busy', 'idle', 'unknown', 'unknown', 'idle'] as const) {
    await lookAgain(bed, slots);
    assert.equal(bed.book.inFlight(POD), undefined, slots);
  }
  await lookAgain(bed, 'idle');
  assert.equal(bed.book.inFlight(POD), 0);
});

test('an edge that renews its Lease is never presumed dead, however long it says nothing', async (t) => {
  const bed = await withSilent(t);
  await pass(bed, 12, () => {
    renew(bed, 'hung');
  });
  assert.deepEqual(bed.looks, []);
  assert.equal(bed.book.inFlight(POD), undefined);
});

test('what others write to the report and the Lease of an edge that is silent is no sign of its life', async (t) => {
  const bed = await withSilent(t);
  await pass(bed, 6, () => {
    for (const resource of [EDGE_REPORTS, LEASES])
      bed.server.edit(resource, { namespace: 'corral-system', name: 'hung' }, (found) => ({
        ...found,
        metadata: { name: 'hung', namespace: 'corral-system', annotations: { now: String(bed.timers.now()) } },
      }));
  });
  assert.equal(bed.looks.length, 1);
  await lookAgain(bed, 'idle');
  assert.equal(bed.book.inFlight(POD), 0);
});

test('while its Lease cannot be read, nobody knows that an edge is silent', async (t) => {
  const bed = await withSilent(t);
  await pass(bed, 5);
  bed.server.fail({ verb: 'get', plural: 'leases' }, { kind: 'status', status: 403, reason: 'Forbidden' }, 1);
  await pass(bed, 6);
  assert.deepEqual(bed.looks, []);
  assert.ok(bed.log.lines.some((line) => line.includes('the Lease of an edge could not be read')));
  await pass(bed, 1);
  await bed.timers.armed(LOOK_AGAIN);
});

test('an edge that speaks again is asked again, whatever was presumed of it', async (t) => {
  const bed = await withSilent(t);
  await pass(bed, 6);
  await lookAgain(bed, 'idle');
  assert.equal(bed.book.inFlight(POD), 0);
  bed.says('hung', { replicas: at(1), sequence: 1 });
  await bed.until(() => bed.book.inFlight(POD) === undefined);
  assert.deepEqual(bed.book.unheard(POD), ['hung']);
  bed.says('hung', { replicas: at(1), acks: ack(1), sequence: 2 });
  await bed.until(() => bed.book.inFlight(POD) === 1);
  bed.says('hung', { acks: ack(1), sequence: 3 });
  await bed.until(() => bed.book.inFlight(POD) === 0);
  assert.deepEqual(bed.book.unheard(POD), [], 'it has given its word');
});

test('an edge that falls silent with requests in flight has none when the slots are idle, after it has acknowledged', async (t) => {
  const bed = await aBook(t, 'hung');
  renew(bed, 'hung');
  bed.says('hung', { models: [model({ inFlight: 1 })], replicas: at(1), acks: ack(1) });
  bed.closeGate(1);
  await bed.until(() => bed.book.inFlight(POD) === 1);
  bed.timers.advance(seconds(20));
  await pass(bed, 6);
  assert.equal(bed.book.inFlight(POD), 1);
  await lookAgain(bed, 'idle');
  assert.equal(bed.book.inFlight(POD), 0);
  assert.deepEqual(bed.book.activity(A), { kind: 'busy', inFlight: 1 }, 'elsewhere it counts as it spoke last');
});

test('an edge whose report cannot be read is not presumed dead', async (t) => {
  const bed = await aBook(t, 'hung');
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'hung', uid: 'hung-pod' }];
  const metadata = { name: 'hung', namespace: 'corral-system', ownerReferences };
  bed.server.put(EDGE_REPORTS, { metadata, report: { bootId: 7 } });
  await bed.until(() => bed.book.activity(A).kind === 'unknown');
  bed.closeGate(1);
  await pass(bed, 9);
  assert.deepEqual(bed.looks, []);
});

test('an operator that stands by looks at no slots, and looks once it leads', async (t) => {
  const bed = await withSilent(t);
  bed.isLeading = false;
  await pass(bed, 9);
  assert.deepEqual(bed.looks, []);
  bed.isLeading = true;
  await pass(bed, 1);
  assert.equal(bed.looks.length, 1);
});

const listsOf = ({ server }: Bed): number =>
  server.requests.filter(({ verb, resource }) => verb === 'list' && resource.plural === 'edgereports').length;

/** Passes so many seconds, and waits until a list of the reports has been answered that comes then. */
async function listAfter(bed: Bed, delay: number): Promise<void> {
  const { timers, server } = bed;
  const before = listsOf(bed);
  await timers.armed(seconds(delay));
  timers.advance(seconds(delay));
  await server.until(() => listsOf(bed) > before);
}

/** An edge at which one has waited for 2 s when it is heard, at 0 s, for the last time. */
async function withWaiter(t: TestContext, ...others: readonly string[]): Promise<Bed> {
  const bed = await aBook(t, 'lost', ...others);
  bed.says('lost', { models: [model({ inFlight: 1, waiting: 1, oldestWaitSeconds: 2 })], replicas: at(1) });
  await bed.until(() => bed.book.demand(A) !== undefined);
  return bed;
}

/** From the last word until 40 s after it. */
async function keepSilent(bed: Bed): Promise<void> {
  await listAfter(bed, 20);
  for (let list = 0; list < 4; list += 1) await listAfter(bed, 5);
  await bed.timers.armed(seconds(5));
}

test('who waits at an edge that is not heard of for 45 s is wanted no more, which is told, and what it has in use counts', async (t) => {
  const bed = await withWaiter(t, 'e1');
  await keepSilent(bed);
  assert.deepEqual(bed.book.demand(A), { waiting: 1, since: -2_000 }, 'it may have been written late');
  const told = bed.changes.length;
  await listAfter(bed, 5);
  await bed.until(() => bed.book.demand(A) === undefined);
  assert.ok(bed.changes.slice(told).includes('demand'), 'the planner wakes');
  assert.equal(bed.timers.now(), 45_000);
  assert.deepEqual(bed.book.activity(A), { kind: 'busy', inFlight: 1 });
  assert.deepEqual([bed.book.inFlight(POD), bed.book.edges], [1, 2]);
  assert.equal(bed.log.lines.filter((line) => line.includes('is not heard of')).length, 1);
  assert.ok(!bed.timers.delays.includes(5_000), 'nothing is listed for it any more');
});

test('who waits at an edge that is heard again is wanted again, since when they wait', async (t) => {
  const bed = await withWaiter(t);
  await keepSilent(bed);
  await listAfter(bed, 5);
  await bed.until(() => bed.book.demand(A) === undefined);
  const metadata = { name: 'lost', namespace: 'corral-system', annotations: { by: 'somebody else' } };
  const told = bed.changes.length;
  bed.server.edit(EDGE_REPORTS, metadata, (found) => ({ ...found, metadata }));
  await bed.until(() => bed.changes.length > told);
  assert.equal(bed.book.demand(A), undefined, 'that is no word of the edge');
  bed.timers.advance(seconds(15));
  bed.says('lost', { models: [model({ waiting: 1, oldestWaitSeconds: 62 })], sequence: 1 });
  await bed.until(() => bed.book.demand(A) !== undefined);
  assert.deepEqual(bed.book.demand(A), { waiting: 1, since: -2_000 });
  assert.equal(bed.changes.at(-1), 'demand');
  await bed.timers.armed(seconds(20));
});

test('an edge that refreshes its report is heard, and nothing is listed for it', async (t) => {
  const bed = await withWaiter(t);
  const lists = listsOf(bed);
  for (let sequence = 1; sequence <= 4; sequence += 1) {
    bed.timers.advance(seconds(15));
    const told = bed.changes.length;
    bed.says('lost', { models: [model({ waiting: 1, oldestWaitSeconds: 2 + 15 * sequence })], sequence });
    await bed.until(() => bed.changes.length > told);
  }
  assert.deepEqual(bed.book.demand(A), { waiting: 1, since: -2_000 });
  assert.equal(listsOf(bed), lists);
});

test('while no list is answered an edge keeps those who wait there, and has 45 s from then on', async (t) => {
  const bed = await withWaiter(t);
  await keepSilent(bed);
  bed.server.fail(
    { verb: 'list', plural: 'edgereports' },
    { kind: 'status', status: 503, reason: 'ServiceUnavailable' },
    1,
  );
  await listAfter(bed, 5);
  await bed.timers.armed(seconds(5));
  for (let list = 0; list < 8; list += 1) await listAfter(bed, 5);
  await bed.timers.armed(seconds(5));
  assert.notEqual(bed.book.demand(A), undefined, 'last heard 85 s ago, of which 40 s could tell');
  await listAfter(bed, 5);
  await bed.until(() => bed.book.demand(A) === undefined);
});

test('an operator that stood still for an hour drops nobody for that', async (t) => {
  const bed = await withWaiter(t);
  const lists = listsOf(bed);
  bed.timers.advance(seconds(3_600));
  await bed.server.until(() => listsOf(bed) > lists);
  await bed.timers.armed(seconds(5));
  assert.notEqual(bed.book.demand(A), undefined);
});
