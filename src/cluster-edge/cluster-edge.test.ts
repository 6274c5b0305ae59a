import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { test, type TestContext } from 'node:test';
import { viewPod, type PodView } from '../api/cluster/pod-view.ts';
import { EDGE_REPORTS, LEASES, MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { accessLog } from '../edge/access-log.ts';
import { createPresetReader } from '../api/cluster/routed-presets.ts';
import { checkObject } from '../api/check-object.ts';
import type { EdgeReportBody } from '../api/edge-report-schema.ts';
import { EdgeReportSchema } from '../api/manifest-schema.ts';
import { DEFAULT_EDGE_LIMITS } from '../edge/limits.ts';
import { seconds } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { aDeployment, aModelPod, aModelPool } from '../testing/cluster-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { askMany } from '../testing/ask-many.ts';
import { answer, ask, chat, errorOf, portOf, startStub, type StubReplica } from '../testing/http-kit.ts';
import { keptLog, startKube, type KubeBed } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { ClusterEdge } from './cluster-edge.ts';
import type { EdgeIdentity } from './edge-identity.ts';

const IDENTITY: EdgeIdentity = { namespace: 'corral-system', podName: 'edge-1', podUid: 'edge-1-pod' };

interface Bed extends KubeBed {
  readonly cluster: ClusterEdge;
  readonly port: number;
  readonly log: ReturnType<typeof keptLog>;
  readonly isTakenOver: () => boolean;
  readonly takenOver: Promise<unknown>;
  /** The report as the API server has it. */
  report(): EdgeReportBody;
  /** Resolves with the report as soon as it says so. */
  reports(isTrue: (report: EdgeReportBody) => boolean): Promise<EdgeReportBody>;
}

/** Where pods answer, by their address: a test has only one machine. */
const stubs = new Map<string, StubReplica>();
let addresses = 0;

interface Llama {
  readonly ip: string;
  /** How many requests have come. */
  readonly requests: number;
  /** Answers the next request that has not been answered, as soon as it is there. */
  answer(body: string): Promise<void>;
}

/** A llama-server that answers when it is told to. */
async function aServer(t: TestContext): Promise<Llama> {
  addresses += 1;
  const ip = `10.0.0.${addresses}`;
  let requests = 0;
  const { readable, writable } = new TransformStream<net.Socket, net.Socket>();
  const [arrivals, unanswered] = [writable.getWriter(), readable.getReader()];
  const stub = await startStub(t, ip, (_request, socket) => {
    requests += 1;
    void arrivals.write(socket);
  });
  stubs.set(ip, stub);
  return {
    ip,
    get requests() {
      return requests;
    },
    answer: async (body) => {
      (await unanswered.read()).value?.write(answer(body));
    },
  };
}

function readPod(object: KubeObject): PodView | undefined {
  const pod = viewPod(object);
  if (pod?.endpoint === undefined) return pod;
  const stub = stubs.get(new URL(pod.endpoint.origin).hostname);
  assert.ok(stub !== undefined);
  return { ...pod, endpoint: { ...pod.endpoint, origin: `http://127.0.0.1:${stub.port}` } };
}

let lives = 0;

/** An edge beside this API server; not started. */
function anEdge(t: TestContext, { server, api }: KubeBed): Bed {
  const log = keptLog();
  const takenOver = Promise.withResolvers<undefined>();
  let isTakenOver = false;
  const cluster = new ClusterEdge({
    observe: () => accessLog(log),
    api,
    identity: IDENTITY,
    readPresets: createPresetReader(() => ({ now: cluster_now(), wall: Date.UTC(2026, 0, 1) })),
    readPod,
    newId: () => `id-${(lives += 1)}`,
    limits: DEFAULT_EDGE_LIMITS,
    created: 0,
    wallClock: () => Date.UTC(2026, 0, 1),
    timers,
    log,
    onTakenOver: () => {
      isTakenOver = true;
      takenOver.resolve(undefined);
    },
  });
  const find = (): EdgeReportBody | undefined =>
    server.find(EDGE_REPORTS, 'corral-system', 'edge-1')?.['report'] as EdgeReportBody | undefined;
  const report = (): EdgeReportBody => {
    const found = find();
    assert.ok(found !== undefined, 'there is no report');
    return found;
  };
  t.after(async () => {
    cluster.edge.server.closeAllConnections();
    await cluster.shutdown();
  });
  return {
    server,
    api,
    cluster,
    log,
    get port() {
      return portOf(cluster.edge.server);
    },
    isTakenOver: () => isTakenOver,
    takenOver: takenOver.promise,
    report,
    reports: async (isTrue) => {
      await server.until(() => {
        const found = find();
        return found !== undefined && isTrue(found);
      });
      return report();
    },
  };
}

/** Pauses of a second and less are over at once; leases and refreshes never come. */
const timers = new EagerTimers(seconds(1));
const cluster_now = timers.now;

/** An edge that is ready, in a cluster with these objects. */
async function aReadyEdge(t: TestContext, ...models: JsonObject[]): Promise<Bed> {
  const kube = await startKube(t);
  declare(kube.server, ...models);
  const bed = anEdge(t, kube);
  await bed.cluster.start();
  bed.cluster.edge.server.listen(0, '127.0.0.1');
  await once(bed.cluster.edge.server, 'listening');
  return bed;
}

function declare(server: FakeApiServer, ...models: JsonObject[]): void {
  server.put(MODEL_POOLS, aModelPool());
  for (const model of models) server.put(MODEL_DEPLOYMENTS, model);
}

const modelOf = ({ models }: EdgeReportBody, preset: string): EdgeReportBody['models'][number] | undefined =>
  models.find((model) => model.preset === preset);

const inFlightAt = ({ replicas }: EdgeReportBody, podUid: string): number | undefined =>
  replicas.find((replica) => replica.podUid === podUid)?.inFlight;

test('names that nobody declares cost the API server no request', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const before = bed.server.requests.length;
  const statuses = await askMany(bed.port, 200, (number) => ({ body: JSON.stringify({ model: `nobody-${number}` }) }));
  assert.deepEqual([...statuses], [[404, 200]]);
  // Its own watches and its lease may still be on their way.
  assert.ok(bed.server.requests.length - before < 10, `${bed.server.requests.length - before} requests`);
  assert.deepEqual(bed.report().models, []);
});

test('a request waits for its pod, is reported at once, is dispatched when the pod is ready, and ends in the report', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const llama = await aServer(t);
  const answered = chat(bed, 'a');
  const waiting = await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  assert.equal(waiting.models[0]?.deploymentUid, 'a-uid');
  assert.deepEqual([waiting.replicas, waiting.acks], [[], []]);

  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  const serving = await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);
  assert.deepEqual([modelOf(serving, 'a')?.waiting, modelOf(serving, 'a')?.inFlight], [0, 1]);
  await llama.answer('{"ok":1}');
  assert.equal((await answered).text, '{"ok":1}');
  const idle = await bed.reports((report) => inFlightAt(report, 'a-pod') === undefined);
  const { inFlight, startedTotal, finishedTotal, idleSeconds } = modelOf(idle, 'a') ?? {};
  assert.deepEqual([inFlight, startedTotal, finishedTotal], [0, 1, 1]);
  assert.ok(idleSeconds !== undefined && idleSeconds < 10);
  assert.ok(idle.sequence > serving.sequence && serving.sequence > waiting.sequence);
});

test('requests beyond a multiple of the target are reported at once, and spread over all pods, of whatever spec', async (t) => {
  const several = aDeployment('a', { scaling: { maxReplicas: 2, targetInFlight: 2 } });
  const bed = await aReadyEdge(t, several, aDeployment('b'));
  const [older, newer] = [await aServer(t), await aServer(t)];
  bed.server.put(PODS, aModelPod('a', { ip: older.ip, annotations: { 'corral.dev/rendered': 'older' } }));
  const answers = [chat(bed, 'a'), chat(bed, 'a'), chat(bed, 'a')];
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 3);

  bed.server.put(PODS, aModelPod('a', { uid: 'a-second', ip: newer.ip }));
  // What comes after it is seen, so it is seen too.
  bed.server.put(PODS, aModelPod('b', { gate: { closed: true, epoch: 1 } }));
  await bed.reports(({ acks }) => acks.length === 1);
  answers.push(chat(bed, 'a'), chat(bed, 'a'));
  await bed.reports((report) => inFlightAt(report, 'a-second') === 2);
  assert.deepEqual([older.requests, newer.requests], [3, 2]);
  for (const llama of [older, older, older, newer, newer]) await llama.answer('{}');
  await Promise.all(answers);
});

test('a closed gate is acknowledged with what is in flight, and from then on nothing is sent there', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  const first = chat(bed, 'a');
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);

  bed.server.put(PODS, aModelPod('a', { ip: llama.ip, gate: { closed: true, epoch: 1 } }));
  const acked = await bed.reports((report) => report.acks.length > 0);
  assert.deepEqual(acked.acks, [{ podUid: 'a-pod', epoch: 1 }]);
  assert.equal(inFlightAt(acked, 'a-pod'), 1);
  const second = chat(bed, 'a');
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  assert.equal(llama.requests, 1);

  await llama.answer('{}');
  assert.equal((await first).status, 200);
  const empty = await bed.reports((report) => inFlightAt(report, 'a-pod') === undefined);
  assert.deepEqual(empty.acks, [{ podUid: 'a-pod', epoch: 1 }]);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip, gate: { closed: false, epoch: 2 } }));
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1 && report.acks.length === 0);
  await llama.answer('{}');
  assert.equal((await second).status, 200);
});

test('a pod whose gate says nothing that is understood gets nothing, and is never acknowledged', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'));
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip, annotations: { 'corral.dev/gate': 'ajar' } }));
  bed.server.put(PODS, aModelPod('b', { gate: { closed: true, epoch: 1 } }));
  // What comes after it is seen, so it is seen too.
  await bed.reports(({ acks }) => acks.length === 1);
  void chat(bed, 'a').catch(() => undefined);
  const report = await bed.reports((seen) => modelOf(seen, 'a')?.waiting === 1);
  assert.deepEqual(report.acks, [{ podUid: 'b-pod', epoch: 1 }]);
  assert.equal(llama.requests, 0);
});

test('a waiter of a ModelDeployment that is deleted is answered 404 at once', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const answered = chat(bed, 'a');
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  bed.server.finishDeletion('a-uid');
  const got = await answered;
  assert.equal(got.status, 404);
  assert.equal(errorOf(got).get('code'), 'model_not_found');
  await bed.reports((report) => report.models.length === 0);
});

test('a pod that serves another source than is declared now gets nothing', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const [old, now] = [await aServer(t), await aServer(t)];
  bed.server.put(PODS, aModelPod('a', { ip: old.ip, serves: 'another source' }));
  const answered = chat(bed, 'a');
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  bed.server.put(PODS, aModelPod('a', { uid: 'a-pod-2', ip: now.ip }));
  await bed.reports((report) => inFlightAt(report, 'a-pod-2') === 1);
  await now.answer('{}');
  assert.equal((await answered).status, 200);
  assert.equal(old.requests, 0);
});

test('the edge tells of itself before it reads pods, and is ready after its first table', async (t) => {
  const kube = await startKube(t);
  declare(kube.server, aDeployment('a'));
  const bed = anEdge(t, kube);
  const pods = kube.server.hold({ verb: 'list', plural: 'pods' });
  const started = bed.cluster.start();
  await kube.server.until(() => pods.arrived === 1);
  const calls = kube.server.requests.map(({ verb, resource }) => `${verb} ${resource.plural}`);
  assert.ok(calls.indexOf('create edgereports') < calls.indexOf('list pods'));
  const object = kube.server.find(EDGE_REPORTS, 'corral-system', 'edge-1');
  assert.deepEqual(object?.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Pod', name: 'edge-1', uid: 'edge-1-pod' },
  ]);
  assert.equal(bed.report().sequence, 0);
  assert.equal(bed.cluster.whyNotReady(), 'not everything is read from the API server yet');
  pods.release();
  await started;
  bed.cluster.edge.server.listen(0, '127.0.0.1');
  await once(bed.cluster.edge.server, 'listening');
  assert.equal(bed.cluster.whyNotReady(), undefined);
  assert.ok(kube.server.find(LEASES, 'corral-system', 'edge-1') !== undefined);
});

test('a report fits its schema', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  void chat(bed, 'a').catch(() => undefined);
  await ask(bed, { path: '/models/load', body: '{"model":"a"}' });
  bed.server.put(PODS, aModelPod('a', { uid: 'b-pod', gate: { closed: true, epoch: 3 } }));
  await bed.reports(({ models, acks, orders }) => models.length === 1 && acks.length === 1 && orders.length === 1);
  assert.deepEqual(checkObject(bed.server.find(EDGE_REPORTS, 'corral-system', 'edge-1'), EdgeReportSchema), []);
});

test('a report that an earlier life of the edge left is replaced', async (t) => {
  const kube = await startKube(t);
  const left = { metadata: { name: 'edge-1', namespace: 'corral-system' }, report: { bootId: 'earlier' } };
  kube.server.put(EDGE_REPORTS, { apiVersion: 'corral.dev/v1alpha1', kind: 'EdgeReport', ...left });
  const bed = anEdge(t, kube);
  await bed.cluster.start();
  assert.notEqual(bed.report().bootId, 'earlier');
  assert.equal(bed.isTakenOver(), false);
});

test('a report that somebody deletes comes back, and one that another life writes ends this one', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'));
  const { bootId } = bed.report();
  bed.server.finishDeletion(String(bed.server.find(EDGE_REPORTS, 'corral-system', 'edge-1')?.metadata.uid));
  void chat(bed, 'a').catch(() => undefined);
  assert.equal((await bed.reports((report) => modelOf(report, 'a')?.waiting === 1)).bootId, bootId);

  bed.server.edit(EDGE_REPORTS, { namespace: 'corral-system', name: 'edge-1' }, (object) => ({
    ...object,
    report: { ...(object['report'] as JsonObject), bootId: 'later' },
  }));
  void chat(bed, 'b').catch(() => undefined);
  await bed.takenOver;
  bed.cluster.edge.server.closeAllConnections();
  await bed.cluster.shutdown();
  assert.equal(bed.report().bootId, 'later');
});

for (const kind of ['reset', 'reset-after'] as const) {
  test(`a report whose write breaks (${kind}) is written again`, async (t) => {
    const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'));
    bed.server.fail({ verb: 'update', plural: 'edgereports' }, { kind }, 2);
    void chat(bed, 'a').catch(() => undefined);
    await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
    void chat(bed, 'b').catch(() => undefined);
    await bed.reports((report) => modelOf(report, 'b')?.waiting === 1);
    assert.equal(bed.isTakenOver(), false);
  });
}

test('an order is reported until it is seen done, and answered as llama-server does', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a', { scaling: { autoload: false } }));
  const order = async (what: string): Promise<string> =>
    (await ask(bed, { path: `/models/${what}`, body: '{"model":"a"}' })).text;
  assert.match(await order('unload'), /model is not running/);
  assert.equal((await chat(bed, 'a')).status, 400);
  assert.equal(await order('load'), '{"success":true}');
  const [load] = (await bed.reports(({ orders }) => orders.length === 1)).orders;
  assert.deepEqual({ ...load, id: '' }, { id: '', kind: 'Load', deploymentUid: 'a-uid', preset: 'a', podUids: [] });
  void chat(bed, 'a').catch(() => undefined);
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  await bed.reports(({ orders }) => orders.length === 0);
  assert.match(await order('load'), /model is already running/);
  assert.equal(await order('unload'), '{"success":true}');
  const [unload] = (await bed.reports(({ orders }) => orders.length === 1)).orders;
  assert.deepEqual([unload?.kind, unload?.podUids], ['Unload', ['a-pod']]);
  bed.server.finishDeletion('a-pod');
  await bed.reports(({ orders }) => orders.length === 0);
});

test('an edge that is to end is not ready, and serves on', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  const answered = chat(bed, 'a');
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);
  bed.cluster.leave();
  assert.equal(bed.cluster.whyNotReady(), 'the edge is shutting down');
  await llama.answer('{}');
  assert.equal((await answered).status, 200);
  const late = chat(bed, 'a');
  await llama.answer('{}');
  assert.equal((await late).status, 200);
  await bed.cluster.shutdown();
});

test('a shutdown ends the request in flight first, and takes report and lease away', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  const answered = chat(bed, 'a');
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);
  const ended = bed.cluster.shutdown();
  assert.equal(bed.cluster.whyNotReady(), 'the edge is shutting down');
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip, gate: { closed: true, epoch: 1 } }));
  const acked = await bed.reports(({ acks }) => acks.length === 1);
  assert.equal(inFlightAt(acked, 'a-pod'), 1);
  await llama.answer('{}');
  assert.equal((await answered).status, 200);
  await ended;
  const writes = bed.server.requests.filter(
    ({ verb, resource }) => verb === 'update' && resource.plural === 'edgereports',
  );
  assert.deepEqual((writes.at(-1)?.body['report'] as EdgeReportBody).replicas, []);
  assert.equal(bed.server.find(EDGE_REPORTS, 'corral-system', 'edge-1'), undefined);
  assert.equal(bed.server.find(LEASES, 'corral-system', 'edge-1'), undefined);
});

test('a shutdown before the API server has answered anything ends all the same', async (t) => {
  const kube = await startKube(t);
  kube.server.fail({ plural: 'edgereports' }, { kind: 'status', status: 500 }, 1_000_000);
  const bed = anEdge(t, kube);
  const started = bed.cluster.start();
  await kube.server.until(() => kube.server.requests.length > 2);
  await bed.cluster.shutdown();
  await started;
  assert.equal(
    kube.server.requests.some(({ resource }) => resource.plural === 'pods'),
    false,
  );
  assert.equal(bed.log.lines.filter((line) => line.includes('the report could not be written')).length, 1);
});
