import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import { EDGE_REPORTS, MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { readMember, readPath } from '../api/field-path.ts';
import { modelName } from '../domain/ids.ts';
import type { JsonObject } from '../domain/json.ts';
import { instant, minutes } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { runningStatus } from '../testing/fake-kubelet.ts';
import type { FakeHold } from '../testing/fake-api-faults.ts';
import {
  creations,
  declare,
  gateOf,
  namesOf,
  phaseIs,
  presetIs,
  report,
  setCapacity,
  startBed,
  startLoaded,
  startOperator,
  statusOf,
  type OperatorBed,
} from '../testing/operator-bed.ts';

/** The preset `a`, for which somebody waits, and whose llama-server ends while it loads. */
async function startFailing(t: TestContext, scaling: JsonObject = {}): Promise<OperatorBed> {
  const bed = await startBed(t);
  declare(bed.server, 'a', { scaling, env: [{ name: 'FAKE', value: 'exit' }] });
  report(bed.server, { models: { a: { waiting: 1 } } });
  return bed;
}

const STATUS = { verb: 'patch', plural: 'modeldeployments', subresource: 'status' } as const;

/** The same with an operator whose word of the failure is on its way until it is released: that pod is there. */
async function startUntold(
  t: TestContext,
): Promise<OperatorBed & { readonly hold: FakeHold; readonly pod: KubeObject | undefined }> {
  const bed = await startFailing(t);
  const { server } = bed;
  const isFailure = (body: unknown): boolean => readPath(body, ['status', 'presets', 0, 'phase']) === 'Failed';
  const hold = server.hold({ ...STATUS, where: ({ body }) => isFailure(body) });
  await startOperator(t, bed);
  await server.until(() => hold.arrived === 1);
  const [pod] = server.objects(PODS);
  return { ...bed, hold, pod };
}

describe('a failed load', () => {
  it('is in the status before its pod is deleted', async (t) => {
    const { server, hold, pod } = await startUntold(t);
    assert.equal(pod?.metadata.deletionTimestamp, undefined);
    hold.release();
    await server.until(() => server.objects(PODS).length === 0);
    assert.equal(readMember(statusOf(server, 'a'), 'failures'), 1);
  });

  it('does not keep its pod for ever where what is declared changes before it is told', async (t) => {
    const { server, hold, pod: failed } = await startUntold(t);
    declare(server, 'a', { env: [{ name: 'FAKE', value: 'ready' }] });
    await server.until(() => creations(server).length === 2);
    hold.release();
    await server.until(() => server.objects(PODS).every(({ metadata }) => metadata.uid !== failed?.metadata.uid));
    await server.until(phaseIs(server, 'a', 'Ready'));
  });

  it('is told of no more when its pool is corrected, also by the next operator', async (t) => {
    const bed = await startFailing(t);
    const { server } = bed;
    const first = await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { phase: 'Failed' }));
    report(server, { models: { a: {} } });
    await server.until(() => server.objects(PODS).length === 0);
    await first.stop();
    setCapacity(bed, { maxLoaded: 1 }, { defaults: { engine: { image: 'llama:2' } } });
    await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { phase: 'Unloaded', reason: undefined }));
  });

  it('does not keep its pod for ever where the API server refuses the status', async (t) => {
    const bed = await startFailing(t);
    bed.server.fail(STATUS, { kind: 'status', status: 422, reason: 'Invalid' }, 1000);
    await startOperator(t, bed);
    await bed.server.until(() => creations(bed.server).length === 1 && bed.server.objects(PODS).length === 0);
  });

  it('is counted once by two operators of which the first ends before it has deleted the pod', async (t) => {
    const bed = await startFailing(t);
    const { server } = bed;
    server.fail({ verb: 'delete', plural: 'pods' }, { kind: 'status', status: 503 }, 1000);
    const first = await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { phase: 'Failed', failures: 1 }));
    await first.stop();
    server.heal();
    await startOperator(t, bed);
    await server.until(() => server.objects(PODS).length === 0);
    assert.ok(presetIs(server, 'a', { phase: 'Failed', failures: 1 })(), JSON.stringify(statusOf(server, 'a')));
  });

  for (const [who, scaling] of [
    ['whoever asks', {}],
    ['though it is to be loaded on startup', { loadOnStartup: true }],
  ] as const)
    it(`is not tried again by the next operator either before its time, ${who}, and other models are loaded`, async (t) => {
      const bed = await startFailing(t, scaling);
      const { server } = bed;
      const first = await startOperator(t, bed);
      await server.until(presetIs(server, 'a', { phase: 'Failed', failures: 1 }));
      await server.until(() => server.objects(PODS).length === 0);
      await first.stop();
      const operator = await startOperator(t, bed);
      declare(server, 'b');
      report(server, { models: { a: { waiting: 1 }, b: { waiting: 1 } } });
      await server.until(phaseIs(server, 'b', 'Ready'));
      assert.deepEqual([namesOf(server), creations(server)], [['b'], ['a', 'b']]);
      assert.equal(readMember(operator.plan(modelName('a')), 'reason'), 'BackOff');
      assert.equal(readPath(statusOf(server, 'a'), ['lastFailure', 'waitSeconds']), 10);
    });
});

/** A pool for two with `a` and `b` in it, of which an operator that is gone now knew more; `c` is not loaded. */
async function startTwo(t: TestContext): Promise<OperatorBed> {
  const bed = await startBed(t);
  const { server } = bed;
  setCapacity(bed, { maxLoaded: 2 });
  for (const name of ['a', 'b', 'c']) declare(server, name);
  report(server, { models: { a: { waiting: 1 }, b: { waiting: 1 } } });
  const first = await startOperator(t, bed);
  await server.until(() => ['a', 'b'].every((name) => phaseIs(server, name, 'Ready')()));
  await first.stop();
  return bed;
}

const closed = ({ server }: OperatorBed): string[] =>
  server.objects(PODS).flatMap((pod) => {
    const preset = String(pod.metadata.labels?.['corral.dev/preset']);
    return gateOf(pod)?.startsWith('closed/') === true ? [preset] : [];
  });

const forget = ({ server }: OperatorBed): void => {
  server.finishDeletion(server.find(EDGE_REPORTS, 'corral-system', 'edge-1')?.metadata.uid ?? '');
};

/** An order of use as an operator has written it into the pool's status. */
const writeOrder = ({ server }: OperatorBed, ...names: readonly string[]): void => {
  server.edit(MODEL_POOLS, { name: 'default' }, (pool) => ({
    ...pool,
    status: { ...(pool['status'] as object), lru: names.map((name) => `${name}-uid/${name}`) },
  }));
};

test('how long a load took the next operator has from the status, where the pod was not ready for a moment meanwhile', async (t) => {
  const bed = await startBed(t);
  const { server, kubelet } = bed;
  const first = await startLoaded(t, bed);
  await first.stop();
  const [pod] = server.objects(PODS);
  assert.ok(pod !== undefined);
  const lastTransitionTime = new Date(Date.parse(pod.metadata.creationTimestamp) + minutes(10)).toISOString();
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime }];
  kubelet.setStatus(pod.metadata.name, { ...runningStatus(true), conditions });
  const told = { name: 'a', uid: 'a-uid', phase: 'Ready', names: ['a'], loadSeconds: 7 };
  const status = { observedGeneration: 1, presets: [told] };
  server.edit(MODEL_DEPLOYMENTS, { namespace: 'ml', name: 'a' }, (was) => ({ ...was, status }));
  await startOperator(t, bed);
  await server.until(() => readMember(statusOf(server, 'a'), 'lastLoadedTime') !== undefined);
  assert.equal(readMember(statusOf(server, 'a'), 'loadSeconds'), 7);
});

describe('the next operator evicts', () => {
  it('what is idle longest by what the edges report, in seconds', async (t) => {
    for (const [first, idle] of [
      ['a', 10],
      ['b', 1000],
    ] as const) {
      const bed = await startTwo(t);
      report(bed.server, { models: { a: { idleSeconds: 100 }, b: { idleSeconds: idle }, c: { waiting: 1 } } });
      await startOperator(t, bed);
      await bed.server.until(() => closed(bed).length > 0);
      assert.deepEqual(closed(bed), [first]);
    }
  });

  it('where all edges are new too, in the order of use that the pool tells, and nothing before one of them has spoken', async (t) => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const bed = await startTwo(t);
      forget(bed);
      writeOrder(bed, ...order);
      const second = await startOperator(t, bed);
      await bed.server.until(presetIs(bed.server, 'c', { phase: 'Unloaded' }));
      const untold = readPath(bed.server.find(MODEL_POOLS, undefined, 'default'), ['status', 'lru']);
      assert.deepEqual([second.plan(modelName('c'))?.outcome, closed(bed)], ['waits', []]);
      assert.deepEqual(
        untold,
        order.map((name) => `${name}-uid/${name}`),
        'the order is kept',
      );
      report(bed.server, { models: { c: { waiting: 1 } } });
      await bed.server.until(() => closed(bed).length > 0);
      assert.deepEqual(closed(bed), [order[0]]);
    }
  });

  it('nothing that it has not seen loaded for the pool’s minResidency itself', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    let passed = 0;
    const timers = { ...bed.timers, now: () => instant(bed.timers.now() + passed) };
    setCapacity(bed, { maxLoaded: 1 }, { eviction: { minResidency: '30m' } });
    for (const name of ['a', 'b']) declare(server, name);
    report(server, { models: { a: { waiting: 1 } } });
    const first = await startOperator(t, { ...bed, timers });
    await server.until(phaseIs(server, 'a', 'Ready'));
    await first.stop();
    passed = minutes(60);
    await startOperator(t, { ...bed, timers });
    report(server, { models: { a: {}, b: { waiting: 1 } } });
    await server.until(presetIs(server, 'b', { phase: 'Waiting', reason: 'MinResidency' }));
    assert.deepEqual(closed(bed), []);
  });
});
