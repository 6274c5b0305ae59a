import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { seconds } from '../domain/units.ts';
import { aPod, keptLog, LEASES, PODS, POOLS, startKube } from '../testing/kube-testbed.ts';
import { EagerTimers, ManualTimers } from '../testing/manual-timers.ts';
import { portOf } from '../testing/http-kit.ts';
import { ApiError, ApiUnreachable, isTemporary, type WatchEvent } from './kube-api.ts';
import type { KubeObject } from './kube-object.ts';
import { createKubeApi } from './transport.ts';

const refOf = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace, name: metadata.name });

const isApiError = (status: number, reason: string) => (error: unknown) =>
  error instanceof ApiError && error.status === status && error.reason === reason;

test('an object is created, read, changed, marked and removed', async (t) => {
  const { server, api } = await startKube(t);
  const created = await api.create(PODS, aPod('a', { app: 'x' }));
  assert.deepEqual(await api.get(PODS, refOf(created)), created);
  const { uid, resourceVersion } = created.metadata;
  const body = { metadata: { annotations: { gate: 'closed/1' } } };
  const patched = await api.patch(PODS, refOf(created), { uid, resourceVersion, body });
  assert.deepEqual(patched.metadata.annotations, { gate: 'closed/1' });
  assert.deepEqual(patched.metadata.labels, { app: 'x' }, 'a merge patch leaves the rest alone');
  const deletion = { uid, resourceVersion: patched.metadata.resourceVersion, gracePeriodSeconds: 1 };
  await api.delete(PODS, refOf(created), deletion);
  assert.notEqual((await api.get(PODS, refOf(created)))?.metadata.deletionTimestamp, undefined);
  server.finishDeletion(uid);
  assert.equal(await api.get(PODS, refOf(created)), undefined);
  await api.delete(PODS, refOf(created), deletion);
});

test('requests look as Kubernetes wants them', async (t) => {
  const { server, api } = await startKube(t);
  const pod = await api.create(PODS, aPod('a'));
  const { uid, resourceVersion } = pod.metadata;
  await api.patch(PODS, refOf(pod), { uid, resourceVersion: undefined, body: { metadata: { labels: { a: 'b' } } } });
  await api.delete(PODS, refOf(pod), { uid, resourceVersion: undefined, gracePeriodSeconds: undefined });
  await api.list(POOLS, {});
  await api.list(PODS, { namespace: 'ml', labelSelector: 'a=b' });
  const said = server.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`.trim());
  assert.deepEqual(said, [
    'POST /api/v1/namespaces/ml/pods fieldValidation=Strict',
    'PATCH /api/v1/namespaces/ml/pods/a',
    'DELETE /api/v1/namespaces/ml/pods/a',
    'GET /apis/corral.dev/v1alpha1/modelpools limit=100',
    'GET /api/v1/namespaces/ml/pods limit=100&labelSelector=a%3Db',
  ]);
  assert.equal(server.requests[1]?.contentType, 'application/merge-patch+json');
  assert.deepEqual(server.requests[1].body, { metadata: { labels: { a: 'b' }, uid } });
  assert.deepEqual(server.requests[2]?.body, {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Background',
    preconditions: { uid },
  });
  assert.equal(resourceVersion.length > 0, true);
});

test('a status is replaced whole, if it is of this life and this state of the object', async (t) => {
  const { server, api } = await startKube(t);
  const { metadata } = server.put(POOLS, { metadata: { name: 'p' }, status: { loaded: 1, queue: ['a'] } });
  const replace = async (uid: string, resourceVersion?: string): Promise<KubeObject> =>
    api.replaceStatus(POOLS, { namespace: undefined, name: 'p' }, { uid, resourceVersion, status: { loaded: 2 } });
  const { status, metadata: now } = await replace(metadata.uid, metadata.resourceVersion);
  assert.deepEqual(status, { loaded: 2 });
  assert.equal(server.requests.at(-1)?.path, '/apis/corral.dev/v1alpha1/modelpools/p/status');
  await assert.rejects(replace(metadata.uid, metadata.resourceVersion), isApiError(409, 'Conflict'));
  await assert.rejects(replace('another'), isApiError(422, 'Invalid'));
  await assert.rejects(replace('another', now.resourceVersion), isApiError(422, 'Invalid'));
  assert.deepEqual((await replace(metadata.uid)).metadata.uid, metadata.uid);
  server.finishDeletion(metadata.uid);
  await assert.rejects(replace(metadata.uid), isApiError(404, 'NotFound'));
});

test('a write for another state or another life of the object is refused', async (t) => {
  const { server, api } = await startKube(t);
  const first = await api.create(PODS, aPod('a'));
  const { uid, resourceVersion } = first.metadata;
  await assert.rejects(api.create(PODS, aPod('a')), isApiError(409, 'AlreadyExists'));
  const second = await api.patch(PODS, refOf(first), {
    uid,
    resourceVersion,
    body: { metadata: { labels: { n: '2' } } },
  });
  const stale = { uid, resourceVersion, body: {} };
  await assert.rejects(api.patch(PODS, refOf(first), stale), isApiError(409, 'Conflict'));
  await assert.rejects(api.replace(PODS, first), isApiError(409, 'Conflict'));
  const staleDeletion = { uid, resourceVersion, gracePeriodSeconds: 1 };
  await assert.rejects(api.delete(PODS, refOf(first), staleDeletion), isApiError(409, 'Conflict'));
  server.finishDeletion(uid);
  await assert.rejects(
    api.patch(PODS, refOf(first), { uid, resourceVersion: undefined, body: {} }),
    isApiError(404, 'NotFound'),
    'a patch creates nothing',
  );
  await api.create(PODS, aPod('a'));
  const oldLife = { uid, resourceVersion: undefined };
  await assert.rejects(api.patch(PODS, refOf(first), { ...oldLife, body: {} }), isApiError(422, 'Invalid'));
  await assert.rejects(
    api.delete(PODS, refOf(second), { ...oldLife, gracePeriodSeconds: 1 }),
    isApiError(409, 'Conflict'),
  );
  assert.equal(server.objects(PODS).length, 1);
});

test('what would hit another object, or hide running containers, is not even sent', async (t) => {
  const { server, api } = await startKube(t);
  await assert.rejects(api.get(PODS, { namespace: undefined, name: 'a' }), TypeError);
  await assert.rejects(api.create(PODS, { metadata: { name: 'a' } }), TypeError);
  const deletion = { uid: 'u', resourceVersion: undefined, gracePeriodSeconds: 0 };
  await assert.rejects(api.delete(PODS, { namespace: 'ml', name: 'a' }, deletion), RangeError);
  assert.deepEqual(server.requests, []);
});

test('a dry run stores nothing and has no resourceVersion', async (t) => {
  const { server, api } = await startKube(t);
  const answer = await api.create(PODS, aPod('a'), { dryRun: true });
  assert.equal(answer.metadata.resourceVersion, '');
  assert.deepEqual(server.objects(PODS), []);
});

test('a list has all pages, of one moment', async (t) => {
  const { server, api } = await startKube(t);
  for (let n = 0; n < 220; n += 1) server.put(PODS, aPod(`pod-${n}`, { half: n % 2 === 0 ? 'even' : 'odd' }));
  const { items, resourceVersion } = await api.list(PODS, {});
  assert.equal(new Set(items.map(({ metadata }) => metadata.name)).size, 220);
  assert.equal(server.requests.length, 3);
  assert.equal(
    resourceVersion,
    items
      .map(({ metadata }) => metadata.resourceVersion)
      .toSorted()
      .at(-1),
  );
  assert.equal((await api.list(PODS, { labelSelector: 'half=odd' })).items.length, 110);
});

test('a list whose history went away between two pages begins again, and not for ever', async (t) => {
  const { server, api } = await startKube(t);
  for (let n = 0; n < 120; n += 1) server.put(PODS, aPod(`pod-${n}`));
  const isLaterPage = { where: ({ query }: { query: URLSearchParams }) => query.has('continue') };
  const gone = { kind: 'status', status: 410, reason: 'Expired' } as const;
  server.fail(isLaterPage, gone, 2);
  assert.equal((await api.list(PODS, {})).items.length, 120);
  assert.equal(server.requests.length, 6);
  server.fail(isLaterPage, gone, 100);
  await assert.rejects(api.list(PODS, {}), isApiError(410, 'Expired'));
  assert.equal(server.requests.length, 12);
});

test('a kind that is not installed is an error, not an object that does not exist', async (t) => {
  const { api } = await startKube(t);
  const unknown = { group: 'other.dev', version: 'v1', plural: 'things', namespaced: false };
  const ref = { namespace: undefined, name: 'a' };
  await assert.rejects(api.get(unknown, ref), isApiError(404, 'Unknown'));
  const deletion = { uid: 'u', resourceVersion: undefined, gracePeriodSeconds: undefined };
  await assert.rejects(api.delete(unknown, ref, deletion), isApiError(404, 'Unknown'));
});

test('a read is done again when the server says when, a bounded number of times; a write never', async (t) => {
  const timers = new EagerTimers(seconds(60));
  const { server, api } = await startKube(t, { timers });
  const busy = (retryAfter: number) =>
    ({ kind: 'status', status: 429, reason: 'TooManyRequests', retryAfter }) as const;
  server.fail({ verb: 'list' }, busy(2), 2);
  await api.list(PODS, {});
  assert.deepEqual(timers.delays, [2000, 2000]);
  server.fail({}, busy(1), 3);
  await assert.rejects(api.list(PODS, {}), isApiError(429, 'TooManyRequests'));
  assert.equal(server.requests.length, 6);
  server.fail({}, busy(60));
  await assert.rejects(
    api.list(PODS, {}),
    (error) => error instanceof ApiError && error.retryAfter === 60_000 && isTemporary(error),
    'a minute is for the caller to wait',
  );
  const pod = server.put(PODS, aPod('a'));
  const { uid, resourceVersion } = pod.metadata;
  const writes: readonly (() => Promise<unknown>)[] = [
    async () => api.create(PODS, aPod('b')),
    async () => api.replace(PODS, pod),
    async () => api.patch(PODS, refOf(pod), { uid, resourceVersion, body: {} }),
    async () => api.delete(PODS, refOf(pod), { uid, resourceVersion, gracePeriodSeconds: undefined }),
  ];
  for (const write of writes) {
    server.fail({}, busy(1));
    await assert.rejects(write, isApiError(429, 'TooManyRequests'));
  }
  assert.equal(server.requests.length, 11);
});

test('a connection that breaks, also after the effect, is no answer, and a write is not sent again', async (t) => {
  const { server, api } = await startKube(t);
  for (const kind of ['reset', 'reset-after'] as const) {
    server.fail({ verb: 'create' }, { kind });
    await assert.rejects(
      api.create(PODS, aPod(kind)),
      (error) => error instanceof ApiUnreachable && isTemporary(error),
    );
  }
  assert.deepEqual(
    server.objects(PODS).map(({ metadata }) => metadata.name),
    ['reset-after'],
  );
  assert.equal(server.requests.length, 2);
});

test('an answer that is not what Kubernetes says is no answer', async (t) => {
  const { server, api } = await startKube(t);
  for (const bytes of [
    '<html>',
    '{"kind":"Pod"}',
    '{"metadata":{"name":"a"}}',
    '{"items":[{}],"metadata":{"resourceVersion":"1"}}',
  ]) {
    server.fail({}, { kind: 'bytes', bytes, end: 'fin' }, 2);
    await assert.rejects(api.get(PODS, { namespace: 'ml', name: 'a' }), ApiUnreachable);
    await assert.rejects(api.list(PODS, {}), ApiUnreachable);
  }
  server.fail({}, { kind: 'bytes', bytes: '{"type":"ADD', end: 'fin' });
  const events: AsyncIterator<WatchEvent> = api
    .watch(PODS, {}, '1', new AbortController().signal)
    [Symbol.asyncIterator]();
  await assert.rejects(async () => events.next(), ApiUnreachable, 'a watch that ends within a line');
});

test('a call that is never answered ends with its time, and its connection is reset', async (t) => {
  const timers = new ManualTimers();
  const { server, api } = await startKube(t, { timers });
  server.fail({}, { kind: 'hang' }, 2);
  const pod = assert.rejects(
    api.create(PODS, aPod('a')),
    (error) => error instanceof ApiUnreachable && error.message.includes('within 10 s'),
  );
  const pods: AsyncIterator<WatchEvent> = api
    .watch(PODS, {}, '1', new AbortController().signal)
    [Symbol.asyncIterator]();
  const watch = assert.rejects(async () => pods.next(), ApiUnreachable);
  await server.until(() => server.requests.length === 2);
  timers.advance(seconds(10));
  await Promise.all([pod, watch]);
  assert.deepEqual(timers.delays, [], 'no alarm is left behind');
});

test('a watch that has begun is not bound by the time of a call, and ends with its signal', async (t) => {
  const timers = new ManualTimers();
  const { server, api } = await startKube(t, { timers });
  const { resourceVersion } = await api.list(PODS, {});
  const ending = new AbortController();
  const events: AsyncIterator<WatchEvent> = api.watch(PODS, {}, resourceVersion, ending.signal)[Symbol.asyncIterator]();
  const first = events.next();
  await server.until(() => server.watching('pods') === 1);
  server.put(PODS, aPod('a'));
  await first;
  timers.advance(seconds(3600));
  const next = events.next();
  server.put(PODS, aPod('b'));
  assert.equal((await next).done, false);
  const last = assert.rejects(async () => events.next(), ApiUnreachable);
  ending.abort();
  await last;
  await server.until(() => server.watching('pods') === 0);
});

function aTokenFile(t: TestContext, token: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'corral-token-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  const path = join(dir, 'token');
  writeFileSync(path, token);
  return path;
}

test('a token is read again after a 401 and after 10 s, and a write goes out once more after a 401', async (t) => {
  const timers = new ManualTimers();
  const tokenFile = aTokenFile(t, 'first\n');
  const { server, api } = await startKube(t, { timers, tokenFile });
  await api.list(PODS, {});
  writeFileSync(tokenFile, 'second');
  await api.list(PODS, {});
  server.fail({}, { kind: 'status', status: 401, reason: 'Unauthorized' });
  await api.create(PODS, aPod('a'));
  writeFileSync(tokenFile, 'third');
  timers.advance(seconds(10));
  await api.list(PODS, {});
  assert.deepEqual(
    server.requests.map(({ authorization }) => authorization?.replace('Bearer ', '')),
    ['first', 'first', 'first', 'second', 'third'],
  );
  server.fail({}, { kind: 'status', status: 401, reason: 'Unauthorized' }, 2);
  await assert.rejects(api.list(PODS, {}), isApiError(401, 'Unauthorized'));
  assert.equal(server.requests.length, 7, 'once more, not for ever');
});

test('no error of any kind shows the token', async (t) => {
  const secret = 'a-very-secret-token';
  const tokenFile = aTokenFile(t, secret);
  const { server, api } = await startKube(t, { tokenFile });
  const faults = [
    { kind: 'status', status: 500 },
    { kind: 'reset' },
    { kind: 'bytes', bytes: 'HTTP', end: 'fin' },
    { kind: 'bytes', bytes: '{', end: 'reset' },
  ] as const;
  for (const fault of faults) {
    server.fail({}, fault);
    await assert.rejects(api.get(PODS, { namespace: 'ml', name: 'a' }), (error) => {
      assert.ok(!inspect(error, { depth: Infinity, showHidden: true }).includes(secret));
      return error instanceof Error && error.message.startsWith('GET /api/v1/namespaces/ml/pods/a: ');
    });
  }
  writeFileSync(tokenFile, `${secret}\nin two lines`);
  server.fail({}, { kind: 'status', status: 401 });
  await assert.rejects(api.list(LEASES, {}), (error: Error) => {
    assert.ok(!inspect(error, { depth: Infinity, showHidden: true }).includes(secret));
    return error.message.includes('holds no token');
  });
  await server.close();
  await assert.rejects(
    createKubeApi(
      { server: new URL(server.url), tokenFile, caFile: undefined },
      { timers: new ManualTimers(), log: keptLog() },
    ).list(LEASES, {}),
    ApiUnreachable,
  );
});

test('the paths of a server behind a path begin with it', async (t) => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    // Our side resets what it has no more use for.
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      seen.push(data.toString().slice(0, data.indexOf('\r')));
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const access = {
    server: new URL(`http://127.0.0.1:${portOf(server)}/k8s/c-1/`),
    tokenFile: undefined,
    caFile: undefined,
  };
  const api = createKubeApi(access, { timers: new ManualTimers(), log: keptLog() });
  t.after(async () => {
    await api.close();
    server.close();
  });
  await assert.rejects(api.get(POOLS, { namespace: undefined, name: 'a/b' }), ApiUnreachable);
  assert.deepEqual(seen, ['GET /k8s/c-1/apis/corral.dev/v1alpha1/modelpools/a%2Fb HTTP/1.1']);
});
