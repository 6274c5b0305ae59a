import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { test, type TestContext } from 'node:test';
import { ANNOTATION } from '../api/cluster/pod-marks.ts';
import { viewPod, type PodView } from '../api/cluster/pod-view.ts';
import { EDGE_REPORTS, LEASES, MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { accessLog } from '../edge/access-log.ts';
import { createPresetReader } from '../api/cluster/routed-presets.ts';
import { checkObject } from '../api/check-object.ts';
import { readPath } from '../api/field-path.ts';
import type { EdgeReportBody } from '../api/edge-report-schema.ts';
import { EdgeReportSchema } from '../api/manifest-schema.ts';
import { DEFAULT_EDGE_LIMITS } from '../edge/limits.ts';
import { milliseconds, seconds } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Timers } from '../kube/timers.ts';
import { aDeployment, aModelPod, aModelPool } from '../testing/cluster-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { askMany } from '../testing/ask-many.ts';
import { answer, ask, chat, errorOf, portOf, startStub, type Got, type StubReplica } from '../testing/http-kit.ts';
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
function anEdge(t: TestContext, { server, api }: KubeBed, timers: Timers = eager): Bed {
  const log = keptLog();
  const takenOver = Promise.withResolvers<undefined>();
  let isTakenOver = false;
  const cluster = new ClusterEdge({
    observe: () => accessLog(log),
    api,
    identity: IDENTITY,
    readPresets: createPresetReader(() => ({ now: timers.now(), wall: Date.UTC(2026, 0, 1) })),
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

/** Pauses of two seconds and less are over at once; leases and refreshes never come. */
const eager = new EagerTimers(seconds(2));

/** An edge that is ready, in a cluster with these objects. */
async function aReadyEdge(t: TestContext, ...models: JsonObject[]): Promise<Bed> {
  return startEdge(t, eager, ...models);
}

/** The same, in the time of these timers. */
async function startEdge(t: TestContext, timers: Timers, ...models: JsonObject[]): Promise<Bed> {
  const kube = await startKube(t);
  declare(kube.server, ...models);
  const bed = anEdge(t, kube, timers);
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

test('a request that is over before a report could tell of it is counted in the next one', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'));
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  await lists(bed, ([a]) => a?.['phase'] === 'ready');
  const writes = bed.server.hold({ verb: 'update', plural: 'edgereports' });
  void chat(bed, 'b').catch(() => undefined);
  await bed.server.until(() => writes.arrived === 1);
  const answered = chat(bed, 'a');
  await llama.answer('{}');
  assert.equal((await answered).status, 200);
  writes.release();
  const report = await bed.reports((seen) => modelOf(seen, 'a') !== undefined);
  const { inFlight, startedTotal, finishedTotal, idleSeconds } = modelOf(report, 'a') ?? {};
  assert.deepEqual([inFlight, startedTotal, finishedTotal, report.replicas], [0, 1, 1, []]);
  assert.equal(typeof idleSeconds, 'number');
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
  for (const llama of [older, older, older, newer, newer]) await llama.answer('{}');
  await Promise.all(answers);
  assert.deepEqual([older.requests, newer.requests], [3, 2]);
});

test('each request of a model that may have several pods is reported, since other edges may have the rest of what one is for', async (t) => {
  const several = aDeployment('a', { scaling: { maxReplicas: 2, targetInFlight: 4 } });
  const bed = await aReadyEdge(t, several);
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  for (const inFlight of [1, 2, 3]) {
    void chat(bed, 'a').catch(() => undefined);
    await bed.reports((report) => inFlightAt(report, 'a-pod') === inFlight);
  }
});

test('while the API server is away, loaded models are served, others wait or are answered 503 with Retry-After, and no name is lost', async (t) => {
  const hasty = aDeployment('hasty', { queue: { maxWait: '50ms' } });
  const bed = await aReadyEdge(t, aDeployment('warm'), aDeployment('cold'), hasty);
  const [warm, cold] = [await aServer(t), await aServer(t)];
  bed.server.put(PODS, aModelPod('warm', { ip: warm.ip }));
  const first = chat(bed, 'warm');
  await warm.answer('{"ok":1}');
  assert.equal((await first).status, 200);

  const outage = bed.server.hold({});
  for (const plural of ['pods', 'modeldeployments', 'modelpools']) bed.server.breakWatches(plural, 'reset');
  const waiting = chat(bed, 'cold');
  const served = chat(bed, 'warm');
  await warm.answer('{"ok":2}');
  assert.equal((await served).text, '{"ok":2}');
  const refused = await chat(bed, 'hasty');
  assert.deepEqual([refused.status, errorOf(refused).get('code')], [503, 'model_wait_timeout']);
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/u);
  assert.equal((await chat(bed, 'nobody')).status, 404);
  assert.ok(outage.arrived > 0, 'it has tried');

  outage.release();
  await bed.reports((report) => modelOf(report, 'cold')?.waiting === 1);
  bed.server.put(PODS, aModelPod('cold', { ip: cold.ip }));
  await cold.answer('{"ok":3}');
  assert.equal((await waiting).text, '{"ok":3}');
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

test('a model that requests do not load holds them while its pod is replaced, and refuses them while it is unloaded', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a', { scaling: { autoload: false } }));
  const leaves = (uid: string, cause: string): unknown =>
    bed.server.put(
      PODS,
      aModelPod('a', { uid, gate: { closed: true, epoch: 1 }, annotations: { [ANNOTATION.drainCause]: cause } }),
    );
  leaves('old', 'changed');
  await bed.reports(({ acks }) => acks.length === 1);
  const held = chat(bed, 'a');
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  // By the time of its last load it is seen that a status is.
  says(bed, 'a', { phase: 'Draining', reason: 'Changed', loadSeconds: 4 });
  await lists(bed, ([a]) => a?.['expected_load_ms'] === 4000);
  bed.server.finishDeletion('old');
  await lists(bed, ([a]) => a?.['phase'] === 'unloaded');
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { uid: 'new', ip: llama.ip }));
  await llama.answer('{}');
  assert.equal((await held).status, 200);

  says(bed, 'a', { phase: 'Ready', loadSeconds: 5 });
  await lists(bed, ([a]) => a?.['expected_load_ms'] === 5000);
  leaves('new', 'ordered');
  await bed.reports(({ acks }) => acks.some(({ podUid }) => podUid === 'new'));
  const refused = await chat(bed, 'a');
  assert.deepEqual([refused.status, errorOf(refused).get('code')], [400, 'model_not_loaded']);
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
  assert.equal((await chat(bed, 'a')).status, 404, 'who comes now does not wait');
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
  assert.equal(await started, 'started');
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

test('whatever number somebody gives a gate, the report fits its schema, and says what is understood', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'));
  bed.server.put(PODS, aModelPod('a', { annotations: { 'corral.dev/gate': 'closed/99999999999999999999' } }));
  bed.server.put(PODS, aModelPod('b', { annotations: { 'corral.dev/gate': 'closed/9999999999' } }));
  // What comes after it is seen, so it is seen too.
  const { acks } = await bed.reports((report) => report.acks.some(({ podUid }) => podUid === 'b-pod'));
  assert.deepEqual(acks, [{ podUid: 'b-pod', epoch: 9_999_999_999 }]);
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

test('a report with nothing in it comes back too', async (t) => {
  const bed = await startEdge(t, new EagerTimers(seconds(15)), aDeployment('a'));
  const { bootId } = bed.report();
  bed.server.finishDeletion(String(bed.server.find(EDGE_REPORTS, 'corral-system', 'edge-1')?.metadata.uid));
  assert.equal((await bed.reports(() => true)).bootId, bootId);
});

/** Somebody writes himself into the Lease of the edge. */
const takeLease = ({ server }: Bed): unknown =>
  server.edit(LEASES, { namespace: 'corral-system', name: 'edge-1' }, (object) => ({
    ...object,
    spec: { ...(object['spec'] as JsonObject), holderIdentity: 'later' },
  }));

const leaseHolder = ({ server }: Bed): unknown =>
  readPath(server.find(LEASES, 'corral-system', 'edge-1'), ['spec', 'holderIdentity']);

/** Time in which a lease is renewed, and a report is not written for its age alone. */
const renewing = (): EagerTimers => new EagerTimers(seconds(3));

test('a Lease that somebody edits is taken back, as the report is still that of the edge, and that is told', async (t) => {
  const bed = await startEdge(t, renewing());
  const { bootId, sequence } = bed.report();
  await bed.server.until(() => leaseHolder(bed) === bootId);
  takeLease(bed);
  await bed.server.until(() => leaseHolder(bed) === bootId);
  assert.ok(bed.report().sequence > sequence, 'it has asked');
  assert.deepEqual(
    bed.log.lines.filter((line) => line.includes('lease')),
    ['warn the lease could not be renewed; trying again: leases edge-1 is written by another process'],
  );
  assert.equal(bed.isTakenOver(), false);
});

test('the Lease of a later edge is left to it, and ends this one though it has nothing to report', async (t) => {
  const bed = await startEdge(t, renewing());
  const { bootId } = bed.report();
  await bed.server.until(() => leaseHolder(bed) === bootId);
  bed.server.edit(EDGE_REPORTS, { namespace: 'corral-system', name: 'edge-1' }, (object) => ({
    ...object,
    report: { ...(object['report'] as JsonObject), bootId: 'later' },
  }));
  takeLease(bed);
  await bed.takenOver;
  bed.cluster.edge.server.closeAllConnections();
  await bed.cluster.shutdown();
  assert.deepEqual([bed.report().bootId, leaseHolder(bed)], ['later', 'later']);
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
  assert.equal(await order('load'), '{"success":true,"outcome":"ordered"}');
  const [load] = (await bed.reports(({ orders }) => orders.length === 1)).orders;
  assert.deepEqual({ ...load, id: '' }, { id: '', kind: 'Load', deploymentUid: 'a-uid', preset: 'a', podUids: [] });
  void chat(bed, 'a').catch(() => undefined);
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  await bed.reports(({ orders }) => orders.length === 0);
  assert.match(await order('load'), /model is already running/);
  assert.equal(await order('unload'), '{"success":true,"outcome":"ordered"}');
  const [unload] = (await bed.reports(({ orders }) => orders.length === 1)).orders;
  assert.deepEqual([unload?.kind, unload?.podUids], ['Unload', ['a-pod']]);
  bed.server.finishDeletion('a-pod');
  await bed.reports(({ orders }) => orders.length === 0);
});

test('a load right after an edit of the source is passed on, until a pod is ready that serves the new one', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  const [old, now] = [await aServer(t), await aServer(t)];
  bed.server.put(PODS, aModelPod('a', { ip: old.ip, serves: 'the source before the edit' }));
  await lists(bed, ([a]) => a?.['phase'] === 'ready');
  const load = async (): Promise<string> => (await ask(bed, { path: '/models/load', body: '{"model":"a"}' })).text;
  assert.equal(await load(), '{"success":true,"outcome":"ordered"}');
  await bed.reports(({ orders }) => orders[0]?.kind === 'Load');
  // All that has come until now is looked at with it.
  bed.server.put(PODS, aModelPod('b', { gate: { closed: true, epoch: 1 } }));
  await bed.reports(({ acks }) => acks.length === 1);
  assert.deepEqual(
    bed.report().orders.map(({ kind }) => kind),
    ['Load'],
  );
  bed.server.put(PODS, aModelPod('a', { uid: 'a-pod-2', ip: now.ip }));
  await bed.reports(({ orders }) => orders.length === 0);
  assert.match(await load(), /model is already running/);
});

const awaited = async (bed: Bed, what: 'load' | 'unload'): Promise<Got> =>
  ask(bed, { path: `/models/${what}?wait=true`, body: '{"model":"a"}' });

/** The operator says so of the model. */
function says(bed: Bed, model: string, status: JsonObject): void {
  bed.server.edit(MODEL_DEPLOYMENTS, { namespace: 'ml', name: model }, (object) => ({
    ...object,
    status: {
      observedGeneration: 1,
      presets: [{ name: model, uid: `${model}-uid`, names: [model], phase: 'Unloaded', ...status }],
    },
  }));
}

type Told = Readonly<Record<string, unknown>>;

/** What the list says of all models, as soon as that is so. Nothing tells what an edge knows but its list. */
async function lists(bed: Bed, isSo: (statuses: readonly Told[]) => boolean): Promise<readonly Told[]> {
  for (;;) {
    const { text } = await ask(bed, { method: 'GET', path: '/models' });
    const statuses = (JSON.parse(text) as { data: { status: Told }[] }).data.map(({ status }) => status);
    if (isSo(statuses)) return statuses;
  }
}

const ROOM: JsonObject = { phase: 'Waiting', reason: 'WaitingForCapacity', message: 'room: taken by a' };
const FAILED: JsonObject = {
  phase: 'Failed',
  reason: 'OOMKilled',
  message: 'no memory',
  failures: 1,
  backOff: { nextRetryTime: '2026-01-01T00:00:30Z' },
};

test('an awaited load is ordered and counted as waiting, and answered when the pod is ready', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a', { scaling: { autoload: false } }));
  const answered = awaited(bed, 'load');
  const report = await bed.reports(({ orders }) => orders.length === 1);
  assert.deepEqual([report.orders[0]?.kind, modelOf(report, 'a')?.waiting], ['Load', 1]);
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  assert.equal((await answered).text, '{"success":true,"outcome":"loaded"}');
  const done = await bed.reports(({ orders }) => orders.length === 0);
  assert.deepEqual([done.models, llama.requests], [[], 0], 'it was no use');
});

test('an awaited load ends a back-off, and is told when the load fails again', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  says(bed, 'a', FAILED);
  await lists(bed, ([a]) => a?.['reason'] === 'OOMKilled');
  assert.deepEqual(errorOf(await chat(bed, 'a')).get('code'), 'model_load_failed');
  const answered = awaited(bed, 'load');
  await bed.reports((report) => modelOf(report, 'a')?.waiting === 1);
  says(bed, 'a', ROOM);
  await lists(bed, ([a]) => a?.['phase'] === 'waiting');
  says(bed, 'a', FAILED);
  const got = await answered;
  assert.deepEqual(
    [got.status, errorOf(got).get('code'), got.headers['retry-after']],
    [503, 'model_load_failed', '30'],
  );
  await bed.reports(({ orders, models }) => orders.length + models.length === 0);
});

test('an awaited unload is answered when the pod is gone', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'));
  assert.equal((await awaited(bed, 'unload')).text, '{"success":true,"outcome":"unloaded"}', 'there is none');
  const llama = await aServer(t);
  bed.server.put(PODS, aModelPod('a', { ip: llama.ip }));
  const asked = chat(bed, 'a');
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);
  const answered = awaited(bed, 'unload');
  const { orders } = await bed.reports((report) => report.orders.length === 1);
  assert.deepEqual(orders[0]?.podUids, ['a-pod']);
  await llama.answer('{}');
  assert.equal((await asked).status, 200);
  bed.server.finishDeletion('a-pod');
  assert.equal((await answered).text, '{"success":true,"outcome":"unloaded"}');
});

for (const what of ['load', 'unload'] as const) {
  test(`an awaited ${what} of a ModelDeployment that is deleted is answered 404 at once`, async (t) => {
    const bed = await aReadyEdge(t, aDeployment('a'));
    if (what === 'unload') bed.server.put(PODS, aModelPod('a', {}));
    bed.server.put(PODS, aModelPod('b', { gate: { closed: true, epoch: 1 } }));
    await bed.reports(({ acks }) => acks.length === 1);
    const answered = awaited(bed, what);
    await bed.reports(({ orders }) => orders.length === 1);
    bed.server.finishDeletion('a-uid');
    const got = await answered;
    assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'model_not_found']);
    if (what === 'unload') bed.server.finishDeletion('a-pod');
    await bed.reports(({ orders }) => orders.length === 0);
  });
}

test('the list has phase, reason, place, who holds the room and the time of the last load, from what is watched', async (t) => {
  const bed = await aReadyEdge(t, aDeployment('a'), aDeployment('b'), aDeployment('c'));
  bed.server.put(PODS, aModelPod('a', { ip: (await aServer(t)).ip }));
  says(bed, 'a', { phase: 'Ready', loadSeconds: 4 });
  says(bed, 'b', { ...ROOM, loadSeconds: 2 });
  says(bed, 'c', ROOM);
  bed.server.put(MODEL_POOLS, { ...aModelPool(), status: { queue: ['c-uid/c', 'b-uid/b'] } });
  // Each kind is followed by itself.
  const statuses = await lists(
    bed,
    ([a, , c]) => a?.['phase'] === 'ready' && a['expected_load_ms'] === 4000 && c?.['position'] === 1,
  );
  const message = (place: number): string =>
    `it waits for room: taken by a; it is number ${place} in the queue of its pool`;
  const waits = { value: 'loading', phase: 'waiting', reason: 'WaitingForCapacity' };
  assert.deepEqual(statuses, [
    { value: 'loaded', phase: 'ready', expected_load_ms: 4000 },
    { ...waits, message: message(2), position: 2, holders: ['a'], expected_load_ms: 2000 },
    { ...waits, message: message(1), position: 1, holders: ['a'] },
  ]);
});

/** The number of the report that is next, and of the one after it, when what can wait has used up its four. */
const [NEXT, AFTER_IT] = [4, 5];

interface Talkative {
  readonly bed: Bed;
  /** Its request is in flight, and reported. */
  readonly a: Llama;
  /** Its request came after that, and is in no report. */
  readonly c: Llama;
}

/** An edge in a time that stands still. It has written four reports, so that what can wait waits for ever; `b` is not loaded. */
async function aTalkativeEdge(t: TestContext): Promise<Talkative> {
  const bed = await startEdge(t, new EagerTimers(milliseconds(0)), ...['a', 'b', 'c'].map((name) => aDeployment(name)));
  const [a, c] = [await aServer(t), await aServer(t)];
  bed.server.put(PODS, aModelPod('a', { ip: a.ip }));
  bed.server.put(PODS, aModelPod('c', { ip: c.ip }));
  await lists(bed, (models) => models.filter(({ phase }) => phase === 'ready').length === 2);
  const first = chat(bed, 'a');
  await bed.reports((report) => inFlightAt(report, 'a-pod') === 1);
  await a.answer('{}');
  await first;
  await bed.reports((report) => inFlightAt(report, 'a-pod') === undefined);
  void chat(bed, 'a').catch(() => undefined);
  assert.equal((await bed.reports((report) => inFlightAt(report, 'a-pod') === 1)).sequence, NEXT - 1);
  void chat(bed, 'c').catch(() => undefined);
  await lists(bed, () => c.requests === 1);
  return { bed, a, c };
}

test('the first waiter of a model is reported at once, with all else, though others have come into use and out of it all the time', async (t) => {
  const { bed } = await aTalkativeEdge(t);
  void chat(bed, 'b').catch(() => undefined);
  const report = await bed.reports((seen) => modelOf(seen, 'b')?.waiting === 1);
  assert.deepEqual([report.sequence, inFlightAt(report, 'c-pod')], [NEXT, 1], 'nothing was written for c alone');
});

test('an order is reported at once, though others have come into use and out of it all the time', async (t) => {
  const { bed } = await aTalkativeEdge(t);
  await ask(bed, { path: '/models/load', body: '{"model":"b"}' });
  assert.equal((await bed.reports(({ orders }) => orders.length === 1)).sequence, NEXT);
});

test('a closed gate is acknowledged at once, and so is told that nothing is left behind it', async (t) => {
  const { bed, a } = await aTalkativeEdge(t);
  bed.server.put(PODS, aModelPod('a', { ip: a.ip, gate: { closed: true, epoch: 1 } }));
  const acked = await bed.reports(({ acks }) => acks.length === 1);
  assert.deepEqual([acked.sequence, inFlightAt(acked, 'a-pod')], [NEXT, 1]);
  await a.answer('{}');
  assert.equal((await bed.reports((report) => inFlightAt(report, 'a-pod') === undefined)).sequence, AFTER_IT);
});

test('while a model waits for room, it is told at once that another one is not in use any more', async (t) => {
  const { bed, a } = await aTalkativeEdge(t);
  says(bed, 'b', ROOM);
  const hurried = await bed.reports((report) => inFlightAt(report, 'c-pod') === 1);
  assert.equal(hurried.sequence, NEXT, 'as soon as the operator says so');
  await a.answer('{}');
  assert.equal((await bed.reports((report) => inFlightAt(report, 'a-pod') === undefined)).sequence, AFTER_IT);
});

test('that a model waits for room in another pool makes nothing urgent but what could wait until then', async (t) => {
  const { bed, a } = await aTalkativeEdge(t);
  const other = aDeployment('d');
  bed.server.put(MODEL_POOLS, { ...aModelPool(), metadata: { name: 'other' } });
  bed.server.put(MODEL_DEPLOYMENTS, { ...other, spec: { ...(other['spec'] as JsonObject), pool: 'other' } });
  says(bed, 'd', ROOM);
  assert.equal((await bed.reports((report) => inFlightAt(report, 'c-pod') === 1)).sequence, NEXT);
  await a.answer('{}');
  await lists(bed, ([, , , d]) => d?.['phase'] === 'waiting');
  void chat(bed, 'b').catch(() => undefined);
  assert.equal((await bed.reports((report) => modelOf(report, 'b')?.waiting === 1)).sequence, AFTER_IT);
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
  assert.equal(await started, 'ended');
  assert.equal(
    kube.server.requests.some(({ resource }) => resource.plural === 'pods'),
    false,
  );
  assert.equal(bed.log.lines.filter((line) => line.includes('the report could not be written')).length, 1);
});

test('an edge that is ended while it still reads says so, and never that it has started', async (t) => {
  const kube = await startKube(t);
  const bed = anEdge(t, kube);
  kube.server.hold({ verb: 'list', plural: 'pods' });
  const started = bed.cluster.start();
  await kube.server.until(() => kube.server.requests.some(({ resource }) => resource.plural === 'pods'));
  await bed.cluster.shutdown();
  assert.equal(await started, 'ended');
  assert.equal(bed.cluster.whyNotReady(), 'the edge is shutting down');
});

test('an edge whose end has begun does not start any more, though the rest of it still reads', async (t) => {
  const kube = await startKube(t);
  const bed = anEdge(t, kube);
  const pods = kube.server.hold({ verb: 'list', plural: 'pods' });
  const started = bed.cluster.start();
  await kube.server.until(() => pods.arrived === 1);
  bed.cluster.leave();
  pods.release();
  assert.equal(await started, 'ended');
});
