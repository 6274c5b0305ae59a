import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchEvent } from '../kube/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { aPod, PODS, POOLS, startKube } from './kube-testbed.ts';

const refOf = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace, name: metadata.name });
const always = (metadata: KubeObject['metadata']) => ({ uid: metadata.uid, resourceVersion: undefined });
const ofPod = (server: FakeApiServer): KubeObject | undefined => server.find(PODS, 'ml', 'a');

test('a pod on a node stays, marked, until its containers have ended; a second deletion only shortens its grace', async (t) => {
  const { server, api } = await startKube(t);
  const pod = server.put(PODS, aPod('a'));
  const graces: unknown[] = [];
  for (const gracePeriodSeconds of [undefined, 60, 1]) {
    await api.delete(PODS, refOf(pod), { ...always(pod.metadata), gracePeriodSeconds });
    graces.push(ofPod(server)?.metadata.deletionTimestamp, graceOf(ofPod(server)));
  }
  const [soon, sooner] = ['2026-01-01T00:00:30Z', '2026-01-01T00:00:01Z'];
  assert.deepEqual(graces, [soon, 30, soon, 30, sooner, 1]);
  server.finishDeletion(pod.metadata.uid);
  assert.equal(ofPod(server), undefined);
});

const graceOf = (object: KubeObject | undefined): unknown =>
  new Map(Object.entries(object?.metadata ?? {})).get('deletionGracePeriodSeconds');

test('a pod that no node has, or whose containers have ended, goes at once', async (t) => {
  const { server, api } = await startKube(t);
  const unscheduled = aPod('a');
  for (const pod of [
    { ...unscheduled, spec: {} },
    { ...unscheduled, status: { phase: 'Failed' } },
  ]) {
    const { metadata } = server.put(PODS, pod);
    await api.delete(PODS, { namespace: 'ml', name: 'a' }, { ...always(metadata), gracePeriodSeconds: 5 });
    assert.equal(ofPod(server), undefined);
  }
});

test('a finalizer holds an object, and its removal lets it go', async (t) => {
  const { server, api } = await startKube(t);
  const pool = server.put(POOLS, { metadata: { name: 'p', finalizers: ['x/y'] }, spec: {} });
  await api.delete(POOLS, refOf(pool), { ...always(pool.metadata), gracePeriodSeconds: undefined });
  assert.notEqual(server.find(POOLS, undefined, 'p')?.metadata.deletionTimestamp, undefined);
  await api.patch(POOLS, refOf(pool), { ...always(pool.metadata), body: { metadata: { finalizers: [] } } });
  assert.equal(server.find(POOLS, undefined, 'p'), undefined);
});

test('spec and status are written apart, and only the spec moves the generation', async (t) => {
  const { server, api } = await startKube(t);
  const pool = server.put(POOLS, { metadata: { name: 'p' }, spec: { paused: false } });
  const said = ({ spec, status, metadata }: KubeObject): unknown => [spec, status, metadata.generation];
  const write = async (body: JsonObject): Promise<unknown> =>
    said(await api.patch(POOLS, refOf(pool), { ...always(pool.metadata), body }));
  const both = { spec: { paused: true }, status: { presets: 1 } };
  const { status } = both;
  const written = await api.replaceStatus(POOLS, refOf(pool), { ...always(pool.metadata), status });
  assert.deepEqual(said(written), [{ paused: false }, { presets: 1 }, 1]);
  assert.deepEqual(await write({ ...both, status: { presets: 2 } }), [{ paused: true }, { presets: 1 }, 2]);
  const { resourceVersion } = server.find(POOLS, undefined, 'p')?.metadata ?? {};
  await write(both);
  assert.equal(server.find(POOLS, undefined, 'p')?.metadata.resourceVersion, resourceVersion, 'no change, no version');
});

test('what is owned by objects that are gone is deleted, and what it owned in its turn', async (t) => {
  const { server } = await startKube(t);
  const owner = server.put(POOLS, { metadata: { name: 'p' } });
  const owned = (name: string, uid: string): JsonObject => ({
    metadata: { name, namespace: 'ml', ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid }] },
  });
  const first = server.put(PODS, owned('a', owner.metadata.uid));
  server.put(PODS, owned('b', first.metadata.uid));
  server.put(PODS, aPod('free'));
  assert.deepEqual(server.collectGarbage(), []);
  server.finishDeletion(owner.metadata.uid);
  assert.deepEqual(server.collectGarbage(), ['a', 'b']);
  assert.deepEqual(
    server.objects(PODS).map(({ metadata }) => metadata.name),
    ['free'],
  );
});

test('a call that is held has its effect when it is released, or has had it already', async (t) => {
  const { server, api } = await startKube(t);
  for (const [at, before] of [
    ['request', 0],
    ['answer', 1],
  ] as const) {
    const hold = server.hold({ verb: 'create', plural: 'pods' }, at);
    const created = api.create(PODS, aPod('a'));
    await server.until(() => hold.arrived === 1);
    assert.equal(server.objects(PODS).length, before);
    hold.release();
    server.finishDeletion((await created).metadata.uid);
  }
});

test('a watch at a server that lags tells what is old enough, and the rest when it has caught up', async (t) => {
  const { server, api } = await startKube(t);
  const { resourceVersion } = await api.list(PODS, {});
  server.lag(2);
  const watch: AsyncIterator<WatchEvent> = api
    .watch(PODS, {}, resourceVersion, new AbortController().signal)
    [Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const event = await watch.next();
    if (event.done === true) return undefined;
    return event.value.kind === 'bookmark' ? event.value : event.value.object.metadata.name;
  };
  const first = next();
  await server.until(() => server.watching('pods') === 1);
  for (const name of ['a', 'b', 'c']) server.put(PODS, aPod(name));
  assert.equal(await first, 'a');
  server.bookmark();
  const heard = server.find(PODS, 'ml', 'a')?.metadata.resourceVersion;
  assert.deepEqual(await next(), { kind: 'bookmark', resourceVersion: heard });
  assert.equal((await api.list(PODS, {})).items.length, 3, 'lists are never behind');
  server.catchUp();
  assert.deepEqual([await next(), await next()], ['b', 'c']);
});
