import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES } from '../api/cluster/resources.ts';
import type { ModelDeploymentStatus } from '../api/model-deployment-schema.ts';
import { readPath } from '../api/field-path.ts';
import { replicaId } from '../domain/ids.ts';
import { instant, seconds } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import { clusterWorld, podOf, starting, uidOf } from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { A_FAILURE } from '../testing/worlds.ts';
import { CatalogFollower } from './catalog-follower.ts';
import { StatusPublisher } from './status-publisher.ts';
import { type StatusWish, StatusWriter } from './status-writer.ts';

const atOnce = async (): Promise<void> => Promise.resolve();

const pool: JsonObject = {
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelPool',
  metadata: { name: 'default' },
  spec: { allowedNamespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } },
};
const namespace = (labels: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'ml', labels },
});
const deployment = (name: string, aliases: readonly string[] = []): JsonObject => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: 'ml' },
  spec: { pool: 'default', presets: [{ name, aliases, source: { path: '/m' }, engine: { image: 'i' } }] },
});

interface Bed {
  readonly server: FakeApiServer;
  /** The models of each catalog that was handed over. */
  readonly catalogs: string[];
  readonly status: (name: string, ...path: (string | number)[]) => unknown;
  readonly writes: () => number;
}

/** A follower whose decisions become statuses, as in the operator, without any pods. */
async function startBed(t: TestContext, objects: readonly JsonObject[] = []): Promise<Bed> {
  const timers = new EagerTimers(seconds(60));
  const { server, api } = await startKube(t, { timers });
  server.put(NAMESPACES, namespace({ team: 'a' }));
  server.put(MODEL_POOLS, pool);
  for (const object of objects) server.put(MODEL_DEPLOYMENTS, object);
  const log = keptLog();
  const lanes = new WriteLanes({ log, timers });
  const statuses = new StatusWriter({
    api,
    lanes,
    versionOf: (resource, uid) => follower.versionOf(resource, uid),
    onWritten: (resource, object) => {
      follower.absorb(resource, object);
    },
    onSettled: () => undefined,
  });
  const clock = { now: timers.now(), wall: Date.parse('2026-01-01T00:00:00Z') };
  const publisher = new StatusPublisher({
    statuses,
    events: { report: () => undefined },
    newest: {
      deployment: (decided) => follower.newestDeployment(decided),
      pool: (decided) => follower.newestPool(decided),
    },
    clock: () => clock,
    giveWay: atOnce,
    publishIn: () => undefined,
  });
  const catalogs: string[] = [];
  const follower = new CatalogFollower({
    api,
    render: (settings) => ({ ok: true, template: { rendered: settings.preset } }),
    onCatalog: ({ catalog, acceptance }) => {
      catalogs.push(catalog.presets.map(({ model }) => model).join());
      const activity = { activity: () => ({ kind: 'unknown' }) as const };
      const nothing = {
        lastUse: () => undefined,
        schedulerWords: () => undefined,
        failures: new Map(),
        hasPod: () => false,
      };
      void publisher.publish({ acceptance, views: [], replicas: [], activity, ...nothing, edges: 1 });
    },
    timers,
    log,
  });
  t.after(async () => {
    await follower.stop();
    await lanes.close();
  });
  await follower.start();
  const find = (name: string): KubeObject | undefined => server.find(MODEL_DEPLOYMENTS, 'ml', name);
  return {
    server,
    catalogs,
    status: (name, ...path) => readPath(find(name), ['status', ...path]),
    writes: () => server.requests.filter(({ subresource }) => subresource === 'status').length,
  };
}

test('what is applied is decided at once and written into its status once, and nothing more is written then', async (t) => {
  const { server, catalogs, status, writes } = await startBed(t);
  await server.until(() => server.find(MODEL_POOLS, undefined, 'default')?.['status'] !== undefined);
  server.put(MODEL_DEPLOYMENTS, deployment('a'));
  await server.until(() => status('a', 'presets', 0, 'names', 0) === 'a');
  assert.equal(catalogs.at(-1), 'a');
  assert.equal(status('a', 'conditions', 2, 'status'), 'True');
  const before = writes();
  // Something that changes nothing that is written about `a`.
  server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await server.until(() => status('b') !== undefined);
  assert.equal(writes(), before + 1);
});

test('a label of the namespace decides whether the pool takes its models', async (t) => {
  const { server, catalogs, status } = await startBed(t);
  server.put(MODEL_DEPLOYMENTS, deployment('a'));
  await server.until(() => status('a', 'presets', 0, 'phase') === 'Unloaded');
  server.put(NAMESPACES, namespace({ team: 'b' }));
  await server.until(() => status('a', 'presets', 0, 'reason') === 'PoolNotAllowed');
  assert.equal(catalogs.at(-1), '');
  assert.deepEqual(status('a', 'presets', 0, 'names'), ['a'], 'clients are told why, not that it does not exist');
  server.put(NAMESPACES, namespace({ team: 'a' }));
  await server.until(() => status('a', 'presets', 0, 'reason') === undefined);
  assert.equal(catalogs.at(-1), 'a');
});

test('a name stays where it is although its status is not written yet, and never stands in two statuses', async (t) => {
  const { server, status } = await startBed(t);
  const held = server.hold({ verb: 'patch', plural: 'modeldeployments', name: 'b' });
  server.put(MODEL_DEPLOYMENTS, deployment('b', ['x']));
  await server.until(() => held.arrived === 1);
  // As old as the other, and before it in the alphabet.
  server.put(MODEL_DEPLOYMENTS, deployment('a', ['x']));
  await server.until(() => status('a', 'presets', 0, 'reason') === 'NameConflict');
  held.release();
  await server.until(() => status('b', 'presets', 0, 'names', 1) === 'x');
  server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await server.until(() => status('a', 'presets', 0, 'names', 1) === 'x');
  assert.deepEqual(status('b', 'presets', 0, 'names'), ['b']);
});

test('a status that cannot be written is written later in its newest form, one of an object that is gone never', async (t) => {
  const { server, status } = await startBed(t);
  server.fail({ verb: 'patch', plural: 'modeldeployments', name: 'a' }, { kind: 'status', status: 500 }, 3);
  server.fail({ verb: 'patch', plural: 'modeldeployments', name: 'a' }, { kind: 'reset-after' }, 1);
  server.put(MODEL_DEPLOYMENTS, deployment('a'));
  await server.until(() => status('a', 'presets', 0, 'names', 0) === 'a');
  const held = server.hold({ verb: 'patch', plural: 'modeldeployments', name: 'b' });
  const { metadata } = server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await server.until(() => held.arrived === 1);
  server.finishDeletion(metadata.uid);
  const { metadata: next } = server.put(MODEL_DEPLOYMENTS, deployment('b', ['y']));
  held.release();
  await server.until(() => status('b', 'presets', 0, 'names', 1) === 'y');
  assert.equal(status('b', 'presets', 0, 'uid'), next.uid, 'the other life of its name');
});

test('what was written is known from its answer, also where the watch is late', async (t) => {
  const { server, status, writes } = await startBed(t, [deployment('a')]);
  server.conceal('a');
  await server.until(() => status('a') !== undefined);
  await server.until(() => server.find(MODEL_POOLS, undefined, 'default')?.['status'] !== undefined);
  const before = writes();
  server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await server.until(() => status('b') !== undefined);
  assert.equal(writes(), before + 1, 'only the status of b');
});

test('a status that was refused is written with the next change of anything', async (t) => {
  const { server, status } = await startBed(t);
  server.fail({ verb: 'patch', plural: 'modeldeployments', name: 'a' }, { kind: 'status', status: 403 });
  server.put(MODEL_DEPLOYMENTS, deployment('a'));
  server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await server.until(() => status('b') !== undefined);
  server.put(MODEL_DEPLOYMENTS, deployment('c'));
  await server.until(() => status('a') !== undefined);
});

test('nothing is told twice before it could be read back', async () => {
  const told: string[] = [];
  const statuses = { write: ({ ref }: StatusWish) => told.push(ref.name), isPending: () => true };
  const clock = { now: instant(0), wall: Date.parse('2026-01-01T00:00:00Z') };
  const later = { now: instant(2000), wall: clock.wall + 2000 };
  const moments = [clock, later];
  const publisher = new StatusPublisher({
    statuses,
    events: { report: () => undefined },
    newest: { deployment: (decided) => decided, pool: (decided) => decided },
    clock: () => moments.shift() ?? later,
    giveWay: atOnce,
    publishIn: () => undefined,
  });
  const world = clusterWorld([declared('a', [declaredPreset('a')])]);
  await publisher.publish(world);
  await publisher.publish(world);
  assert.deepEqual(told, ['a', 'default']);
  const loading = { ...world, replicas: [podOf('a/a', starting)] };
  await publisher.publish(loading);
  await publisher.publish(loading);
  assert.deepEqual(told.slice(2), ['a', 'default']);
});

test('a decision that was begun before a status was answered writes that status no second time', async () => {
  const told: string[] = [];
  const answers = new Map<string, object>();
  const statuses = {
    write: ({ ref, status }: StatusWish) => {
      told.push(ref.name);
      answers.set(ref.name, status);
    },
    isPending: () => false,
  };
  const clock = { now: instant(0), wall: Date.parse('2026-01-01T00:00:00Z') };
  const answered = <T extends { readonly status: object | undefined }>(name: string, decided: T): T => {
    const status = answers.get(name);
    return status === undefined ? decided : { ...decided, status };
  };
  const publisher = new StatusPublisher({
    statuses,
    events: { report: () => undefined },
    newest: {
      deployment: (decided) => answered(decided.ref.name, decided),
      pool: (decided) => answered(decided.name, decided),
    },
    clock: () => clock,
    giveWay: atOnce,
    publishIn: () => undefined,
  });
  // Read anew each time, from the same states of the objects.
  const decide = (): ReturnType<typeof clusterWorld> => clusterWorld([declared('a', [declaredPreset('a')])]);
  await publisher.publish(decide());
  assert.deepEqual(told, ['a', 'default']);
  await publisher.publish(decide());
  assert.deepEqual(told, ['a', 'default']);
});

test('what is told while a status is on its way follows on that: no condition turns twice, or back in time', async () => {
  const sent: unknown[] = [];
  let isPending = true;
  const statuses = {
    write: ({ ref, status }: StatusWish) => {
      if (ref.name === 'a') sent.push(readPath(status, ['conditions', 2]));
    },
    isPending: () => isPending,
  };
  let now = 0;
  const publisher = new StatusPublisher({
    statuses,
    events: { report: () => undefined },
    newest: { deployment: (decided) => decided, pool: (decided) => decided },
    clock: () => ({ now: instant(now), wall: Date.parse('2026-01-01T00:00:00Z') + now }),
    giveWay: atOnce,
    publishIn: () => undefined,
  });
  const objects = [declared('a', [declaredPreset('a')])];
  const publishAt = async (time: number, changes: Parameters<typeof clusterWorld>[1]): Promise<string> => {
    now = time;
    await publisher.publish(clusterWorld(objects, changes));
    const { status, lastTransitionTime } = sent.at(-1) as Record<'status' | 'lastTransitionTime', string>;
    return `${status} since ${lastTransitionTime.slice(17, 19)}`;
  };
  assert.equal(await publishAt(10_000, { edges: 1 }), 'True since 10');
  assert.equal(await publishAt(15_000, { edges: 0 }), 'False since 15');
  assert.equal(await publishAt(16_000, { edges: 0, replicas: [podOf('a/a', starting)] }), 'False since 15');
  assert.equal(await publishAt(17_000, { edges: 1, replicas: [podOf('a/a', starting)] }), 'True since 17');
  assert.equal(sent.length, 4);
  // The API server refuses it: the object is as it was.
  isPending = false;
  assert.equal(await publishAt(18_000, { edges: 1, replicas: [podOf('a/a', starting)] }), 'True since 18');
});

test('why presets wait is written every two seconds at most, and all else at once', async () => {
  const told: string[] = [];
  const asked: number[] = [];
  let now = 0;
  let answered: ModelDeploymentStatus | undefined;
  const statuses = {
    write: ({ ref, status }: StatusWish) => {
      if (ref.name !== 'a') return;
      told.push(JSON.stringify(readPath(status, ['presets', 0])));
      answered = status;
    },
    isPending: () => false,
  };
  const publisher = new StatusPublisher({
    statuses,
    events: { report: () => undefined },
    newest: { deployment: (decided) => ({ ...decided, status: answered }), pool: (decided) => decided },
    clock: () => ({ now: instant(now), wall: Date.parse('2026-01-01T00:00:00Z') + now }),
    giveWay: atOnce,
    publishIn: (delay) => asked.push(delay),
  });
  const objects = [declared('a', [declaredPreset('a')])];
  const waiting = (because: string): ReturnType<typeof clusterWorld> =>
    clusterWorld(objects, { standings: { 'a/a': { waitsFor: { reason: 'WaitingForCapacity', because } } } });
  const publishAt = async (time: number, world: ReturnType<typeof clusterWorld>): Promise<number> => {
    now = time;
    await publisher.publish(world);
    return told.length;
  };
  assert.equal(await publishAt(0, waiting('one')), 1);
  assert.deepEqual(asked, []);
  const two = waiting('two');
  assert.deepEqual([await publishAt(100, two), await publishAt(200, two), await publishAt(1999, two)], [1, 1, 1]);
  assert.ok(asked.length > 0 && asked.every((delay) => delay === 2000));
  assert.equal(await publishAt(2000, two), 2);
  assert.match(String(told.at(-1)), /two/u);
  assert.equal(await publishAt(2100, two), 2);
  // It begins to load: that is no word.
  assert.equal(await publishAt(2200, clusterWorld(objects, { replicas: [podOf('a/a', starting)] })), 3);
  assert.match(String(told.at(-1)), /Loading/u);
});

test('what comes and goes while many statuses are being rendered is an Event all the same, and a failure is told when it is written', async () => {
  const notes: string[] = [];
  let now = 0;
  const publisher = new StatusPublisher({
    statuses: { write: () => undefined, isPending: () => false },
    events: { report: (happenings) => notes.push(...happenings.map(({ note }) => note)) },
    newest: { deployment: (decided) => decided, pool: (decided) => decided },
    // Each look at the clock is a millisecond later, so that a slice is over after ten ModelDeployments.
    clock: () => ({ now: instant((now += 1)), wall: Date.parse('2026-01-01T00:00:00Z') }),
    giveWay: atOnce,
    publishIn: () => undefined,
  });
  const names = ['a', ...Array.from({ length: 30 }, (_, index) => `m${index}`)];
  const objects = names.map((name) => declared(name, [declaredPreset(name)]));
  const calm = clusterWorld(objects);
  await publisher.publish(calm);
  const edges = { ...calm, edges: 2 };
  const rendering = publisher.publish(edges);
  const [view] = calm.views;
  const id = replicaId('a-pod');
  const note = {
    failure: A_FAILURE,
    rendered: String(view?.preset.rendered),
    count: 1,
    firstAt: A_FAILURE.at,
    counted: [id],
    until: instant(1),
  };
  const failed = { failures: new Map([[uidOf('a/a'), note]]), hasPod: () => true };
  const started = publisher.publish({ ...edges, ...failed, replicas: [podOf('a/a', starting, id)] });
  const pod = { uid: id, preset: uidOf('a/a'), ownerUid: 'a-uid' };
  assert.equal(publisher.hasToldFailure(pod), false, 'its status is not rendered yet');
  const gone = publisher.publish({ ...edges, ...failed });
  assert.deepEqual(notes, ['a: its pod is created', 'a: its llama-server has ended without an order']);
  await Promise.all([rendering, started, gone]);
  assert.equal(publisher.hasToldFailure(pod), true);
});
