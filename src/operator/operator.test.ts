import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENTS, PODS } from '../api/cluster/resources.ts';
import { readMember, readPath } from '../api/field-path.ts';
import type { JsonObject } from '../domain/json.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { runningStatus } from '../testing/fake-kubelet.ts';
import {
  creations,
  declare,
  gateOf,
  namesOf,
  phaseIs,
  presetIs,
  putReport,
  report,
  setCapacity,
  startBed,
  startLoaded,
  startOperator,
  statusOf,
  type OperatorBed,
} from '../testing/operator-bed.ts';

describe('the operator', () => {
  it('makes the pod of a model that somebody waits for, and says in the status and in Events what becomes of it', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'chat');
    await startOperator(t, bed);
    await server.until(phaseIs(server, 'chat', 'Unloaded'));
    assert.deepEqual(namesOf(server), [], 'nobody has asked for it');
    report(server, { models: { chat: { waiting: 1 } } });
    await server.until(phaseIs(server, 'chat', 'Ready'));
    assert.deepEqual(namesOf(server), ['chat']);
    const said = (): unknown[] => server.objects(EVENTS).map((event) => event['reason']);
    await server.until(() => said().length === 2);
    assert.deepEqual(said(), ['Started', 'Loaded']);
  });

  it('evicts only after every edge has confirmed the closed gate, and starts the next only when the pod is gone', async (t) => {
    const bed = await startBed(t);
    const { server, kubelet } = bed;
    declare(server, 'a');
    declare(server, 'b');
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(phaseIs(server, 'a', 'Ready'));
    const letGo = kubelet.holdEnds();
    report(server, { models: { a: {}, b: { waiting: 1 } } });
    const [pod] = server.objects(PODS);
    const current = (): KubeObject | undefined =>
      server.objects(PODS).find(({ metadata }) => metadata.uid === pod?.metadata.uid);
    await server.until(() => gateOf(current()) === 'closed/1');
    const acks = [{ podUid: String(pod?.metadata.uid), epoch: 1 }];
    report(server, { models: { a: { inFlight: 1 }, b: { waiting: 1 } }, acks });
    await server.until(phaseIs(server, 'a', 'Draining'));
    assert.equal(current()?.metadata.deletionTimestamp, undefined, 'a request is in flight');
    report(server, { models: { a: {}, b: { waiting: 1 } }, acks });
    await server.until(() => current()?.metadata.deletionTimestamp !== undefined);
    await server.until(phaseIs(server, 'a', 'Stopping'));
    assert.deepEqual(namesOf(server), ['a'], 'it still holds the only place');
    letGo();
    await server.until(phaseIs(server, 'b', 'Ready'));
    assert.deepEqual(namesOf(server), ['b']);
    assert.equal(readMember(statusOf(server, 'a'), 'evictedFor'), 'ml/b/b');
  });

  it('takes up after a restart what another has begun: a closed gate is drained to its end', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    const first = await startLoaded(t, bed);
    report(server, { models: { a: {} } });
    const [pod] = server.objects(PODS);
    assert.ok(pod !== undefined);
    server.finishDeletion('a-uid');
    await server.until(() => gateOf(server.objects(PODS)[0]) === 'closed/1');
    await first.stop();
    await startOperator(t, bed);
    report(server, { acks: [{ podUid: pod.metadata.uid, epoch: 1 }] });
    await server.until(() => server.objects(PODS).length === 0);
  });

  it('takes back a drain for idleness where an edge has sent a request before it heard of it, and not where it has not', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'a', { scaling: { idleTimeout: '200ms' } });
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(phaseIs(server, 'a', 'Ready'));
    const said = { deploymentUid: 'a-uid', preset: 'a', inFlight: 0, waiting: 0, oldestWaitSeconds: 0, idleSeconds: 0 };
    putReport(server, { models: [{ ...said, startedTotal: 1, finishedTotal: 1 }] });
    await server.until(() => gateOf(server.objects(PODS)[0]) === 'closed/1');
    const [pod] = server.objects(PODS);
    assert.ok(pod !== undefined);
    const acks = (epoch: number): JsonObject[] => [{ podUid: pod.metadata.uid, epoch }];
    const models = [{ ...said, startedTotal: 2, finishedTotal: 2 }];
    putReport(server, { models, acks: acks(1) });
    await server.until(() => gateOf(server.objects(PODS)[0]) === 'open/2');
    await server.until(() => gateOf(server.objects(PODS)[0]) === 'closed/3');
    putReport(server, { models, acks: acks(3) });
    await server.until(() => server.objects(PODS).length === 0);
  });

  it('drains nothing before everything was read, however late the ModelDeployments come', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    const first = await startLoaded(t, bed);
    await first.stop();
    const hold = server.hold({ verb: 'list', plural: 'modeldeployments' });
    const starting = startOperator(t, bed);
    await server.until(() => hold.arrived === 1 && server.watching('pods') === 1);
    assert.equal(gateOf(server.objects(PODS)[0]), 'open/0');
    hold.release();
    const second = await starting;
    assert.equal(second.whyNotReady(), undefined);
    report(server, { models: { a: { inFlight: 1 } } });
    await server.until(() =>
      server.requests.some(({ method, path }) => method === 'PATCH' && path.endsWith('/status')),
    );
    assert.equal(gateOf(server.objects(PODS)[0]), 'open/0');
  });

  it('carries out the orders of clients: load once, and unload the replicas that were meant and no others', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'a');
    report(server, {});
    await startOperator(t, bed);
    const order = { id: 'o-1', kind: 'Load', deploymentUid: 'a-uid', preset: 'a', podUids: [] };
    report(server, { orders: [order] });
    await server.until(phaseIs(server, 'a', 'Ready'));
    const [pod] = server.objects(PODS);
    const unload = { ...order, kind: 'Unload' };
    report(server, { orders: [{ ...unload, id: 'o-2', podUids: ['an-earlier-pod'] }] });
    report(server, { orders: [{ ...unload, id: 'o-3', podUids: [String(pod?.metadata.uid)] }] });
    await server.until(() => gateOf(server.objects(PODS)[0]) === 'closed/1');
    report(server, { acks: [{ podUid: String(pod?.metadata.uid), epoch: 1 }] });
    await server.until(phaseIs(server, 'a', 'Unloaded'));
  });

  it('takes an order to load back by one to unload that names no pods, and by it no load that requests ask for', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    for (const name of ['a', 'b']) declare(server, name);
    report(server, { models: { b: { inFlight: 1 } } });
    await startOperator(t, bed);
    const orderOf = (kind: string, name: string): JsonObject => ({
      ...{ id: `${kind}-${name}`, kind, deploymentUid: `${name}-uid`, preset: name, podUids: [] },
    });
    report(server, { models: { b: { waiting: 1 } } });
    await server.until(phaseIs(server, 'b', 'Ready'));
    report(server, { models: { b: { inFlight: 1 } }, orders: [orderOf('Load', 'a'), orderOf('Unload', 'b')] });
    await server.until(phaseIs(server, 'a', 'Waiting'));
    report(server, { models: { b: { inFlight: 1 } }, orders: [orderOf('Unload', 'a')] });
    await server.until(phaseIs(server, 'a', 'Unloaded'));
    assert.deepEqual([creations(server), gateOf(server.objects(PODS)[0])], [['b'], 'open/0']);
  });

  it('unloads all replicas of a model if one of those that the order names is there: an order names no more than a report takes', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    declare(server, 'a', { scaling: { minReplicas: 2 } });
    report(server, {});
    await startOperator(t, bed);
    await server.until(() => server.objects(PODS).length === 2);
    await server.until(phaseIs(server, 'a', 'Ready'));
    const podUids = ['an-earlier-pod', String(server.objects(PODS)[1]?.metadata.uid)];
    report(server, { orders: [{ id: 'o-1', kind: 'Unload', deploymentUid: 'a-uid', preset: 'a', podUids }] });
    await server.until(() => server.objects(PODS).every((pod) => gateOf(pod) === 'closed/1'));
  });

  it('makes no pod for a ModelDeployment that is gone, also while nobody has told it so', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    await startLoaded(t, bed);
    server.conceal('a');
    server.finishDeletion('a-uid');
    assert.equal(server.collectGarbage().length, 1);
    declare(server, 'b');
    report(server, { models: { a: { waiting: 1 }, b: { waiting: 1 } } });
    await server.until(phaseIs(server, 'b', 'Ready'));
    assert.deepEqual(creations(server), ['a', 'b']);
  });

  it('loads what is to be loaded at the start once in its life, not once for each operator', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'a', { scaling: { loadOnStartup: true } });
    const first = await startOperator(t, bed);
    await server.until(phaseIs(server, 'a', 'Ready'));
    await first.stop();
    const [pod] = server.objects(PODS);
    server.finishDeletion(String(pod?.metadata.uid));
    await startOperator(t, bed);
    await server.until(phaseIs(server, 'a', 'Unloaded'));
    assert.deepEqual(namesOf(server), []);
  });
});

const SCALED = { maxReplicas: 2, targetInFlight: 1 };

describe('the operator, of a preset with several replicas', () => {
  it('starts as many as there are always to be', async (t) => {
    const bed = await startBed(t);
    setCapacity(bed, { maxLoaded: 4 });
    declare(bed.server, 'a', { scaling: { minReplicas: 2, maxReplicas: 3 } });
    await startOperator(t, bed);
    await bed.server.until(presetIs(bed.server, 'a', { phase: 'Ready', replicas: 2, readyReplicas: 2 }));
    assert.deepEqual(namesOf(bed.server), ['a', 'a']);
  });

  it('starts another one as soon as an edge tells of more requests than those of now are to have', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    declare(server, 'a', { scaling: SCALED });
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { readyReplicas: 1 }));
    report(server, { models: { a: { inFlight: 2 } } });
    await server.until(presetIs(server, 'a', { replicas: 2, readyReplicas: 2 }));
  });

  it('takes the one that has nothing to do from it, for a preset that has none', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    declare(server, 'a', { scaling: SCALED });
    declare(server, 'b');
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { readyReplicas: 1 }));
    report(server, { models: { a: { inFlight: 2 } } });
    await server.until(presetIs(server, 'a', { readyReplicas: 2 }));
    const [busy, idle] = server.objects(PODS);
    assert.ok(busy !== undefined && idle !== undefined);
    const models = { a: { inFlight: 1, at: [busy.metadata.uid] }, b: { waiting: 1 } };
    report(server, { models });
    const closed = (): string[] =>
      server.objects(PODS).flatMap((pod) => (gateOf(pod) === 'closed/1' ? [pod.metadata.uid] : []));
    await server.until(() => closed().length > 0);
    assert.deepEqual(closed(), [idle.metadata.uid]);
    report(server, { models, acks: [{ podUid: idle.metadata.uid, epoch: 1 }] });
    await server.until(presetIs(server, 'b', { phase: 'Ready' }));
    assert.ok(presetIs(server, 'a', { phase: 'Ready', readyReplicas: 1 })());
    assert.equal(gateOf(server.objects(PODS).find(({ metadata }) => metadata.uid === busy.metadata.uid)), 'open/0');
  });
});

describe('a model for which the scheduler finds no node', () => {
  const words = '0/1 nodes are available: 1 Insufficient example.com/gpu.';
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: words };
  const refuse = ({ kubelet }: OperatorBed, { metadata }: KubeObject): void => {
    kubelet.setStatus(metadata.name, { phase: 'Pending', conditions: [condition] });
  };
  const eventsOf = (server: FakeApiServer, name: string): unknown[] =>
    server.objects(EVENTS).flatMap((event) => {
      const regards = readPath(event, ['regarding', 'name']) === name;
      return regards && event['reason'] !== 'Started' ? [`${String(event['reason'])}: ${String(event['note'])}`] : [];
    });
  const podsOf = (server: FakeApiServer, name: string): readonly KubeObject[] =>
    server.objects(PODS).filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name);

  it('is Failed where nobody could leave for it, with the words of the scheduler, and its pod goes', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { unschedulableAfter: '0s' });
    declare(server, 'a', { env: [] });
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(() => podsOf(server, 'a').length > 0);
    for (const pod of podsOf(server, 'a')) refuse(bed, pod);
    await server.until(presetIs(server, 'a', { phase: 'Failed', reason: 'Unschedulable' }));
    const message = `no node takes the pod: ${words}`;
    assert.ok(presetIs(server, 'a', { message })(), JSON.stringify(statusOf(server, 'a')));
    await server.until(() => podsOf(server, 'a').length === 0 && eventsOf(server, 'a').length > 0);
    assert.deepEqual(eventsOf(server, 'a'), [`Unschedulable: a: no node takes its pod: ${words}`]);
  });

  it('waits where somebody could leave for it, who does, and is loaded then', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { unschedulableAfter: '0s' });
    declare(server, 'old');
    declare(server, 'new', { env: [] });
    report(server, { models: { old: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(presetIs(server, 'old', { phase: 'Ready' }));
    const models = { old: {}, new: { waiting: 1 } };
    report(server, { models });
    await server.until(() => podsOf(server, 'new').length > 0);
    for (const pod of podsOf(server, 'new')) refuse(bed, pod);
    const [old] = podsOf(server, 'old');
    await server.until(() => gateOf(podsOf(server, 'old')[0]) === 'closed/1');
    report(server, { models, acks: [{ podUid: String(old?.metadata.uid), epoch: 1 }] });
    await server.until(() => podsOf(server, 'old').length === 0 && podsOf(server, 'new').length === 1);
    for (const { metadata } of podsOf(server, 'new')) bed.kubelet.setStatus(metadata.name, runningStatus(true));
    await server.until(presetIs(server, 'new', { phase: 'Ready' }));
    await server.until(() => eventsOf(server, 'new').length === 2);
    assert.match(eventsOf(server, 'new').join('\n'), /^Unschedulable: new: no node takes its pod: .*\nLoaded: /u);
  });
});
