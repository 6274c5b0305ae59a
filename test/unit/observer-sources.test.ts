import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { PODS } from '../../src/api/cluster/resources.ts';
import { startFakeApiServer } from '../../src/testing/fake-api-server.ts';
import type { FakeApiServer } from '../../src/testing/fake-api-server.ts';
import { parseAmount } from '../cluster/observer/amounts.ts';
import { KindFollower } from '../cluster/observer/follow-kind.ts';
import { readBooks } from '../cluster/observer/read-books.ts';
import { readCall } from '../cluster/observer/read-call.ts';
import { readDeployment } from '../cluster/observer/read-object.ts';
import { readPod } from '../cluster/observer/read-pod.ts';
import { ApiClient } from '../cluster/support/api-client.ts';
import type { ApiObject } from '../cluster/support/api-client.ts';

const pod = (name: string, more: object = {}): { metadata: { name: string; namespace: string } } => ({
  metadata: { name, namespace: 'ml', ...more },
});

interface Followed {
  readonly server: FakeApiServer;
  readonly follower: KindFollower;
  /** What was told, in words, and what was missed. */
  readonly told: readonly string[];
  readonly gaps: readonly string[];
}

async function followPods(t: TestContext, before: readonly string[] = []): Promise<Followed> {
  const server = await startFakeApiServer();
  const api = new ApiClient({ server: server.url, token: 'none', ca: '' });
  for (const name of before) server.put(PODS, pod(name));
  const told: string[] = [];
  const gaps: string[] = [];
  const follower = new KindFollower({
    ...{ api, collection: '/api/v1/pods', definition: undefined },
    onTold: ({ object, gone }) => told.push(`${object.metadata.name}${gone ? ' gone' : ''}`),
    onGap: (why) => gaps.push(why),
  });
  t.after(async () => {
    await follower.end();
    await api.close();
    await server.close();
  });
  await follower.start();
  await server.until(() => server.watching('pods') === 1);
  return { server, follower, told, gaps };
}

async function untilCaughtUp({ follower, server }: Followed): Promise<void> {
  await server.until(() => server.watching('pods') === 1);
  while (!(await follower.isCaughtUp())) await new Promise((resolve) => setImmediate(resolve));
}

describe('what the observer follows', () => {
  it('is all that is there, and all that comes and goes', async (t) => {
    const followed = await followPods(t, ['a']);
    followed.server.put(PODS, pod('b'));
    const { metadata } = followed.server.put(PODS, pod('a', { labels: { one: 'more' } }));
    followed.server.finishDeletion(metadata.uid);
    await untilCaughtUp(followed);
    assert.deepEqual(followed.told, ['a', 'b', 'a', 'a gone']);
    assert.deepEqual(followed.gaps, []);
  });

  it('goes on from where it was when the API server was away', async (t) => {
    const followed = await followPods(t, ['a']);
    followed.server.breakWatches('pods', 'reset');
    followed.server.fail({ plural: 'pods' }, { kind: 'status', status: 503 }, 2);
    followed.server.put(PODS, pod('b'));
    await untilCaughtUp(followed);
    assert.deepEqual(followed.told, ['a', 'b']);
    assert.deepEqual(followed.gaps, []);
  });

  it('is read anew without a complaint when another API server does not know what was before it', async (t) => {
    const followed = await followPods(t, ['a']);
    followed.server.fail({ plural: 'pods' }, { kind: 'status', status: 503 }, 1);
    followed.server.breakWatches('pods', 'reset');
    followed.server.put(PODS, pod('b'));
    followed.server.compact();
    await untilCaughtUp(followed);
    assert.deepEqual(followed.told, ['a', 'b']);
    assert.deepEqual(followed.gaps, []);
  });

  it('is read anew where history is gone, and that something may have been missed is told', async (t) => {
    const followed = await followPods(t, ['a', 'b']);
    followed.server.breakWatches('pods', 'reset');
    const { metadata } = followed.server.put(PODS, pod('a', { labels: { one: 'more' } }));
    followed.server.finishDeletion(metadata.uid);
    followed.server.put(PODS, pod('c'));
    followed.server.compact();
    await untilCaughtUp(followed);
    assert.deepEqual(followed.told, ['a', 'b', 'c', 'a gone']);
    assert.match(followed.gaps.join(), /^\/api\/v1\/pods: .*410/u);
  });
});

const base = { apiVersion: 'v1', creationTimestamp: '2026-01-01T00:00:00Z' };
const object = (metadata: object, rest: object): ApiObject => {
  const whole = { name: 'it', uid: 'its', resourceVersion: '7', generation: 1, ...base, ...metadata };
  return { metadata: whole, ...rest };
};

const MARKS = {
  labels: { 'corral.dev/preset': 'a' },
  annotations: { 'corral.dev/pool': 'gpus', 'corral.dev/footprint': '{"vram":"9Gi"}', 'corral.dev/gate': 'open/0' },
  ownerReferences: [{ kind: 'ModelDeployment', uid: 'chat-1', controller: true }],
};

describe('what the observer reads', () => {
  it('quantities as Kubernetes has them, and no others', () => {
    const amounts = ['1', '1500m', '2k', '1Ki', '9Gi', '0.5', '1e3', '3E', '250u'].map(parseAmount);
    assert.deepEqual(amounts, [1, 1.5, 2000, 1024, 9 * 1024 ** 3, 0.5, 1000, 3e18, 0.00025]);
    for (const wrong of ['', 'many', '1X', '-1', '1 Gi']) assert.throws(() => parseAmount(wrong), /no quantity/u);
  });

  it('whose a pod is, what it takes, and whether anything of it runs', () => {
    const running = { name: 'llama-server', state: { running: {} } };
    const ended = { name: 'llama-server', state: { terminated: { exitCode: 1 } } };
    const facts = (status: object): readonly boolean[] => {
      const { hasEnded, isServerOver } = readPod(object(MARKS, { status }));
      return [hasEnded, isServerOver];
    };
    const { owner, preset, pool, footprint } = readPod(object(MARKS, {}));
    assert.deepEqual([owner, preset, pool, footprint.get('vram')], ['chat-1', 'a', 'gpus', 9 * 1024 ** 3]);
    assert.deepEqual(facts({ phase: 'Running', containerStatuses: [running] }), [false, false]);
    assert.deepEqual(facts({ phase: 'Running', containerStatuses: [ended] }), [false, true]);
    assert.deepEqual(facts({ phase: 'Failed', containerStatuses: [running] }), [false, false]);
    assert.deepEqual(facts({ phase: 'Failed', containerStatuses: [ended] }), [true, true]);
    assert.equal(readPod(object({ ...MARKS, ownerReferences: [] }, {})).owner, undefined);
  });

  it('that a pod will not come to be', () => {
    const waiting = (reason: string): object => ({
      containerStatuses: [{ name: 'llama-server', state: { waiting: { reason } } }],
    });
    const conditions = [{ type: 'PodScheduled', status: 'False' }];
    const stuck = (status: object): boolean => readPod(object(MARKS, { status })).isStuck;
    assert.deepEqual([{ conditions }, waiting('ErrImagePull'), waiting('ContainerCreating'), {}].map(stuck), [true, true, false, false]); // prettier-ignore
  });

  it('that another has changed something, and not that Corral has changed what is its own', () => {
    const managed = (manager: string, value: string): object => ({ managedFields: [{ manager, fieldsV1: value }] });
    const digest = (metadata: object, spec: object = {}): string => readPod(object({ ...MARKS, ...metadata }, { spec })).foreign; // prettier-ignore
    const gate = {
      annotations: { ...MARKS.annotations, 'corral.dev/gate': 'closed/1', 'corral.dev/drain-cause': 'idle' },
    };
    assert.equal(digest(gate), digest({}));
    assert.equal(digest({ labels: {} }), digest({}), 'Corral puts its own labels back');
    assert.equal(digest(managed('corral', 'x')), digest(managed('corral', 'y')));
    for (const other of [
      digest(managed('kubectl', 'x')),
      digest({ labels: { ...MARKS.labels, team: 'x' } }),
      digest({ annotations: { ...MARKS.annotations, team: 'x' } }),
      digest({ ownerReferences: [] }),
      digest({ finalizers: ['one'] }),
      digest({}, { nodeName: 'n1' }),
    ])
      assert.notEqual(other, digest({}));
  });

  it('what a ModelDeployment declares over its defaults', () => {
    const spec = {
      defaults: { scaling: { maxReplicas: 2 } },
      presets: [{ name: 'a' }, { name: 'b', scaling: { minReplicas: 3 }, footprint: { vram: '4Gi' } }],
    };
    const status = {
      presets: [
        { name: 'a', phase: 'Ready', names: ['a'] },
        { name: 'b', phase: 'Unloaded' },
      ],
    };
    const { presets, pool, loaded, nameless } = readDeployment(object({}, { spec, status }));
    const [none, defaults] = [
      { least: undefined, most: undefined },
      { least: undefined, most: 2 },
    ];
    assert.deepEqual(
      presets.map(({ replicas }) => replicas),
      [
        [defaults, none],
        [defaults, { least: 3, most: undefined }],
      ],
    );
    assert.equal(presets[1]?.footprint.get('vram'), 4 * 1024 ** 3);
    assert.deepEqual([pool, loaded, nameless], ['default', ['a'], ['b']]);
    assert.throws(() => readDeployment(object({}, { spec: {} })), /it cannot be read: \/spec/u);
  });

  it('of the audit log who has written what, by which pod, and under which conditions', () => {
    const event = {
      verb: 'delete',
      user: {
        username: 'system:serviceaccount:corral-system:corral-operator',
        extra: { 'authentication.kubernetes.io/pod-name': ['op-1'] },
      },
      requestURI: '/api/v1/namespaces/ml/pods/a-0',
      requestReceivedTimestamp: '2026-01-01T00:00:01.500000Z',
      stageTimestamp: '2026-01-01T00:00:01.600000Z',
      objectRef: { resource: 'pods', namespace: 'ml', name: 'a-0' },
      responseStatus: { code: 200 },
      requestObject: { preconditions: { uid: 'u', resourceVersion: '7' }, gracePeriodSeconds: 1 },
      responseObject: { metadata: { uid: 'u', resourceVersion: '8' } },
    };
    const call = readCall(event);
    assert.deepEqual(
      [call?.pod, call?.name, call?.onlyUid, call?.onlyVersion, call?.graceSeconds, call?.uid, call?.version],
      ['op-1', 'a-0', 'u', 7, 1, 'u', 8],
    );
    assert.deepEqual([call?.isDryRun, call?.received], [false, Date.UTC(2026, 0, 1, 0, 0, 1, 500)]);
    assert.equal(readCall({ ...event, requestURI: `${event.requestURI}?dryRun=All` })?.isDryRun, true);
    assert.equal(readCall({ ...event, verb: 'list' }), undefined);
    assert.equal(readCall({ ...event, user: { username: 'admin' }, objectRef: { resource: 'nodes' } }), undefined);
    assert.equal(readCall({ ...event, user: {}, responseStatus: { code: 401 } }), undefined);
    assert.throws(() => readCall({ ...event, user: {} }), /a call of nobody that was not refused/u);
  });

  it('of a JSON patch which object and which state it means', () => {
    const operations = [
      { op: 'test', path: '/metadata/uid', value: 'u' },
      { op: 'replace', path: '/metadata/resourceVersion', value: '6' },
      { op: 'add', path: '/status', value: {} },
    ];
    const meant = (requestObject: object): unknown => {
      const call = readCall({
        ...{ verb: 'patch', user: { username: 'admin' }, requestURI: '/', responseStatus: { code: 200 } },
        ...{ requestReceivedTimestamp: '', stageTimestamp: '', objectRef: { resource: 'modelpools', name: 'p' } },
        requestObject,
      });
      return [call?.onlyUid, call?.onlyVersion];
    };
    assert.deepEqual(meant(operations), ['u', 6]);
    assert.deepEqual(meant(operations.slice(2)), [undefined, undefined]);
  });

  it('of the metrics of an edge how requests ended', () => {
    const text = [
      'corral_build_info{version="1"} 1',
      'corral_requests_total{model="a",route="/v1",code="200"} 2',
      'corral_requests_total{model="",route="",code="404"} 1',
      'corral_request_duration_seconds_bucket{le="1",model="a"} 9',
      'corral_request_duration_seconds_count{model="a"} 2',
      'corral_request_duration_seconds_count{model=""} 1',
      'corral_requests_in_flight{model="a"} 4',
      'corral_requests_waiting{model="a"} 5',
    ].join('\n');
    assert.deepEqual(readBooks('e', text), { edge: 'e', ended: 3, measured: 3, inFlight: 4, waiting: 5 });
    assert.throws(() => readBooks('e', 'not found'), /no metrics/u);
  });
});
