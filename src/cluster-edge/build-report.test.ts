import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import type { Tally } from '../activity/ledger.ts';
import { clusterPresetUid } from '../api/cluster/pod-settings.ts';
import { checkObject } from '../api/check-object.ts';
import { MAX_ORDER_PODS, MAX_REPORTED, ReportSchema } from '../api/edge-report-schema.ts';
import { replicaId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import type { EdgeOrder } from './edge-order.ts';
import { buildReport, type CountedPreset, type EdgeView } from './build-report.ts';
import { MAX_REPORT_BYTES } from './fit-report.ts';

const idle = (at: number, started = 0): Tally => ({
  activity: { kind: 'idle', since: instant(at) },
  demand: undefined,
  started,
  queued: 0,
  finished: started,
});
const busy = (inFlight: number): Tally => ({ ...idle(0, inFlight), activity: { kind: 'busy', inFlight }, finished: 0 });
const waiting = (since: number): Tally => ({ ...idle(0), demand: { waiting: 1, since: instant(since) } });
const preset = (name: string, tally: Tally, hasReplica = true): CountedPreset => ({
  uid: clusterPresetUid('00000000-0000-4000-8000-000000000000', name),
  hasReplica,
  tally,
});

const view = (parts: Partial<EdgeView>): EdgeView => ({
  identity: { namespace: 'ns', podName: 'edge', podUid: 'edge-pod' },
  bootId: 'boot',
  sequence: 0,
  now: instant(100_000),
  presets: [],
  busy: new Map(),
  acks: new Map(),
  orders: [],
  ...parts,
});

test('a preset is reported while it is in use, waited for, or loaded and used here before', () => {
  const { models } = buildReport(
    view({
      presets: [
        preset('busy', busy(2), false),
        preset('waiting', waiting(98_500), false),
        preset('used', idle(40_000, 3)),
        preset('loaded-and-never-used', idle(0)),
        preset('used-and-not-loaded', idle(0, 3), false),
      ],
    }),
  );
  assert.deepEqual(
    models.map(({ preset: name, inFlight, waiting: held, oldestWaitSeconds, idleSeconds }) => ({
      name,
      inFlight,
      held,
      oldestWaitSeconds,
      idleSeconds,
    })),
    [
      { name: 'busy', inFlight: 2, held: 0, oldestWaitSeconds: 0, idleSeconds: undefined },
      { name: 'waiting', inFlight: 0, held: 1, oldestWaitSeconds: 1.5, idleSeconds: undefined },
      { name: 'used', inFlight: 0, held: 0, oldestWaitSeconds: 0, idleSeconds: 60 },
    ],
  );
});

test('an edge that has had more than a billion requests may still say so', () => {
  const report = buildReport(view({ presets: [preset('used', idle(40_000, 1_000_000_001))] }));
  assert.equal(report.models[0]?.startedTotal, 1_000_000_001);
  assert.ok(Value.Check(ReportSchema, report));
});

test('however much there is to say, it fits, and what is in flight at a pod is never left out', () => {
  const sizes = fc.record({
    busy: fc.nat({ max: 100 }),
    waiting: fc.nat({ max: 300 }),
    idle: fc.nat({ max: 600 }),
    acks: fc.nat({ max: 600 }),
    orders: fc.nat({ max: 64 }),
    meant: fc.nat({ max: 40 }),
  });
  fc.assert(
    fc.property(sizes, (size) => {
      const of = (count: number, name: string, tally: (n: number) => Tally): CountedPreset[] =>
        Array.from({ length: count }, (_, n) => preset(`${name}-${n}`, tally(n)));
      const presets = [
        ...of(size.idle, 'idle', (n) => idle(n, 1)),
        ...of(size.waiting, 'waiting', (n) => waiting(n)),
        ...of(size.busy, 'busy', () => busy(1)),
      ];
      const pods = (count: number): [ReturnType<typeof replicaId>, number][] =>
        Array.from({ length: count }, (_, n) => [replicaId(`00000000-0000-4000-8000-${n}`), 1]);
      const orders = Array.from({ length: size.orders }, (_, n) => anOrder(n, size.meant));
      const report = buildReport(
        view({ presets, busy: new Map(pods(size.busy)), acks: new Map(pods(size.acks)), orders }),
      );
      assert.ok(JSON.stringify(report).length <= MAX_REPORT_BYTES);
      assert.equal(report.replicas.length, size.busy);
      assert.deepEqual(
        report.orders.map(({ podUids }) => podUids.length > 0),
        orders.map(() => size.meant > 0),
      );
      const kept = (name: string): string[] =>
        report.models.filter((model) => model.preset.startsWith(name)).map((model) => model.preset);
      if (kept('idle').length > 0) assert.equal(kept('waiting').length, size.waiting);
      if (kept('waiting').length > 0) assert.equal(kept('busy').length, size.busy);
      if (kept('busy').length > 0) assert.equal(report.acks.length, Math.min(512, size.acks));
      assert.deepEqual(
        kept('waiting'),
        of(size.waiting, 'waiting', waiting).map(nameOf).slice(0, kept('waiting').length),
      );
      assert.deepEqual(kept('idle'), of(size.idle, 'idle', idle).map(nameOf).reverse().slice(0, kept('idle').length));
    }),
    { numRuns: 60 },
  );
});

/** With short uids, so that more of them fit. */
const podsOf = (count: number): ReturnType<typeof replicaId>[] =>
  Array.from({ length: count }, (_, n) => replicaId(`pod-${n}`));

const anOrder = (n: number, pods: number): EdgeOrder => ({
  id: `order-${n}`,
  kind: pods === 0 ? 'Load' : 'Unload',
  preset: preset(`a-${n}`, idle(0)).uid,
  replicas: podsOf(pods),
  before: [],
  tellingFrom: instant(0),
  until: instant(0),
  isFresh: true,
});

const uidOf = (a: number, b: number): ReturnType<typeof replicaId> =>
  replicaId(`00000000-0000-4000-${String(a).padStart(4, '0')}-${String(b).padStart(12, '0')}`);

/** With uids as long as a cluster's. */
const longOrder = (n: number, pods: number): EdgeOrder => ({
  ...anOrder(n, pods),
  id: uidOf(9_998, n),
  replicas: Array.from({ length: pods }, (_, pod) => uidOf(n, pod)),
});

/** Somebody waits, and everything that the orders mean is acknowledged. */
const underOrders = (orders: readonly EdgeOrder[], inUse = 0): EdgeView => {
  const used = Array.from({ length: inUse }, (_, n) => uidOf(9_999, n));
  return view({
    presets: [preset('cold', waiting(1))],
    busy: new Map(used.map((pod) => [pod, 1])),
    acks: new Map(orders.flatMap(({ replicas }) => replicas).map((pod) => [pod, 1])),
    orders,
  });
};

for (const [pods, named, acks] of [
  [1, 1, 64],
  [4, 2, 256],
  [10, 2, 300],
  [32, 2, 300],
] as const) {
  test(`64 orders to unload ${pods} pods each leave room for acknowledgements and for who waits`, () => {
    const report = buildReport(underOrders(Array.from({ length: 64 }, (_, n) => longOrder(n, pods))));
    const size = JSON.stringify(report).length;
    assert.ok(size <= MAX_REPORT_BYTES, `${size} bytes`);
    assert.deepEqual(new Set(report.orders.map(({ podUids }) => podUids.length)), new Set([named]), 'evenly');
    assert.ok(report.acks.length >= acks, `${report.acks.length} acknowledgements`);
    // Those who wait have what the acknowledgements leave.
    if (acks === pods * 64) assert.equal(report.models.length, 1);
  });
}

test('orders of which most mean one pod, and one means many, are shortened to what fits, and no further', () => {
  const orders = [...Array.from({ length: 31 }, (_, n) => longOrder(n, 1)), longOrder(31, MAX_ORDER_PODS)];
  const report = buildReport(underOrders(orders));
  assert.equal(report.orders.at(-1)?.podUids.length, MAX_ORDER_PODS);
  assert.equal(report.models.length, 1);
});

test('where requests in flight leave no room for all orders, the latest are left out, and no request is', () => {
  const report = buildReport(
    underOrders(
      Array.from({ length: 64 }, (_, n) => longOrder(n, 1)),
      400,
    ),
  );
  assert.ok(JSON.stringify(report).length <= MAX_REPORT_BYTES);
  assert.equal(report.replicas.length, 400);
  assert.ok(report.orders.length > 0 && report.orders.length < 64, `${report.orders.length} orders`);
  assert.equal(report.orders[0]?.podUids.length, 1);
});

test('an order to unload more pods than a report may name names the first of them', () => {
  const { orders } = buildReport(view({ orders: [anOrder(1, MAX_ORDER_PODS + 1)] }));
  assert.deepEqual(orders[0]?.podUids, podsOf(MAX_ORDER_PODS));
});

const counts = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const lengths = fc.oneof(counts(3), counts(2 * MAX_REPORTED));
const tallies: fc.Arbitrary<Tally> = fc.oneof(
  counts(1_000_000_000).map((inFlight) => busy(inFlight)),
  counts(100_000).map((since) => waiting(since)),
  fc.tuple(counts(100_000), counts(Number.MAX_SAFE_INTEGER)).map(([at, started]) => idle(at, started)),
);
const sights = fc.record({
  presets: lengths,
  name: fc.stringMatching(/^[a-z0-9-]{0,57}[a-z0-9]$/u),
  tally: tallies,
  inUse: lengths,
  acks: lengths,
  epoch: counts(Number.MAX_SAFE_INTEGER),
  orders: fc.oneof(counts(2), counts(100)),
  meant: counts(101),
  sequence: counts(Number.MAX_SAFE_INTEGER),
});

const MORE_IN_USE = {
  ...{ presets: 0, name: 'a', tally: idle(0), orders: 0, meant: 0, sequence: 1, epoch: 1 },
  inUse: MAX_REPORTED + 1,
  acks: MAX_REPORTED + 1,
};

test('whatever an edge sees, an API server takes its report, and no pod is acknowledged without its requests', () => {
  fc.assert(
    fc.property(sights, (size) => {
      const busyPods = podsOf(size.inUse);
      const report = buildReport(
        view({
          sequence: size.sequence,
          presets: Array.from({ length: size.presets }, (_, n) => preset(`${n}${size.name}`, size.tally)),
          busy: new Map(busyPods.map((pod, n) => [pod, n + 1])),
          // Those whose requests a report may have no room for come first.
          acks: new Map(
            podsOf(size.acks)
              .map((pod) => [pod, size.epoch] as const)
              .reverse(),
          ),
          orders: Array.from({ length: size.orders }, (_, n) => anOrder(n, size.meant)),
        }),
      );
      assert.deepEqual(checkObject(report, ReportSchema), []);
      const acknowledged = new Set<string>(report.acks.map(({ podUid }) => podUid));
      const told = new Set<string>(report.replicas.map(({ podUid }) => podUid));
      assert.deepEqual(
        busyPods.filter((pod) => acknowledged.has(pod) && !told.has(pod)),
        [],
      );
    }),
    { numRuns: 60, examples: [[MORE_IN_USE]] },
  );
});

const nameOf = ({ uid }: CountedPreset): string => uid.slice(uid.indexOf('/') + 1);
