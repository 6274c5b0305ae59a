import { WHOLE_POOL } from '../../domain/pool.ts';
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { ANNOTATION, LABEL } from '../../api/cluster/pod-marks.ts';
import { binName, replicaId, type PresetUid } from '../../domain/ids.ts';
import type { Replica, ReplicaState } from '../../domain/replica.ts';
import { milliseconds, minutes, seconds } from '../../domain/units.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { FakeRequest } from '../../testing/fake-api-request.ts';
import { failedStatus, runningStatus } from '../../testing/fake-kubelet.ts';
import { PODS } from '../../testing/kube-testbed.ts';
import { EagerTimers, ManualTimers } from '../../testing/manual-timers.ts';
import { startBackend, startPodBed, type PodBed, type PodBedOptions } from '../../testing/pod-bed.ts';
import { aPodSettings, anIdentity, presetOf, templateOf } from '../../testing/pod-settings.ts';
import type { KubernetesBackend } from './kubernetes-backend.ts';
import { renderPod, type PodTemplate } from './render-pod-template.ts';
import { Watch } from '../../testing/watch.ts';

/** Its llama-server does nothing but what the test says: the kubelet takes only pods with a `FAKE`. */
const QUIET = templateOf(aPodSettings());
/** Its llama-server becomes ready. */
const EAGER = templateOf(aPodSettings({ env: [{ name: 'FAKE', value: 'ready' }] }));

/** The same with a volume that an API server may leave out. */
const MOUNTING = templateOf(
  aPodSettings({
    env: [{ name: 'FAKE', value: 'ready' }],
    source: { kind: 'image', reference: 'example.com/models:1', path: 'a.gguf' },
  }),
);

const declared = (...templates: readonly PodTemplate[]): Map<PresetUid, PodTemplate> =>
  new Map(templates.map((template) => [presetOf(template).uid, template]));

const bed = async (t: TestContext, template = EAGER, options: Partial<PodBedOptions> = {}): Promise<PodBed> =>
  startPodBed(t, { templates: declared(template), ...options });

const start = (backend: KubernetesBackend, template = EAGER): void => {
  backend.apply({ kind: 'start', preset: presetOf(template), bin: WHOLE_POOL });
};
const drain = (backend: KubernetesBackend, { id }: Replica): void => {
  backend.apply({ kind: 'drain', replica: id, cause: { kind: 'idle' } });
};
const cancel = (backend: KubernetesBackend, { id }: Replica): void => {
  backend.apply({ kind: 'cancel', replica: id });
};
const stop = (backend: KubernetesBackend, { id }: Replica): void => {
  backend.apply({ kind: 'stop', replica: id });
};

async function until<T>(backend: KubernetesBackend, look: (replicas: readonly Replica[]) => T | undefined): Promise<T> {
  const watch = new Watch(() => JSON.stringify(backend.observe()));
  backend.onChange(() => {
    watch.look();
  });
  return watch.find(() => look(backend.observe()), look);
}

const untilState = async (backend: KubernetesBackend, kind: ReplicaState['kind']): Promise<Replica> =>
  until(backend, (replicas) => replicas.find(({ state }) => state.kind === kind));
const untilGone = async (backend: KubernetesBackend): Promise<true> =>
  until(backend, (replicas) => (replicas.length === 0 ? true : undefined));

async function startReady(backend: KubernetesBackend, template = EAGER): Promise<Replica> {
  start(backend, template);
  return untilState(backend, 'ready');
}

const kinds = (backend: KubernetesBackend): readonly string[] => backend.observe().map(({ state }) => state.kind);

function failureOf({ state }: Replica): (ReplicaState & { kind: 'failed' })['failure'] {
  assert.ok(state.kind === 'failed', state.kind);
  return state.failure;
}

const isDryRun = ({ query }: FakeRequest): boolean => query.get('dryRun') === 'All';
/** A real creation. */
const CREATE = { verb: 'create', plural: 'pods', where: (request: FakeRequest) => !isDryRun(request) } as const;

/** Calls about pods that are no watch, `GET name` and the like. */
const calls = ({ server }: PodBed): readonly string[] =>
  server.requests
    .filter(({ resource, verb }) => resource.plural === 'pods' && verb !== 'watch' && verb !== 'list')
    .map((request) => `${request.verb}${isDryRun(request) ? ' dry-run' : ''}`);

const pods = ({ server }: PodBed): readonly KubeObject[] => server.objects(PODS);
const gates = (world: PodBed): readonly unknown[] =>
  pods(world).map(({ metadata: { annotations = {} } }) => annotations[ANNOTATION.gate]);

/** The watch tells nothing until what is returned is called. */
async function deafen({ server }: PodBed): Promise<() => void> {
  const hold = server.hold({ verb: 'watch', plural: 'pods' });
  server.breakWatches('pods', 'fin');
  await server.until(() => hold.arrived > 0);
  return () => {
    hold.release();
  };
}

const slot = (number: number): string => `${EAGER.baseName}-${number}`;

/** Changes a pod behind the backend's back, as far as it is deaf. */
const annotate = ({ server }: PodBed, name: string, annotations: Record<string, string>): void => {
  server.edit(PODS, { namespace: 'ml', name }, (pod) => {
    const metadata = pod['metadata'] as { annotations: Record<string, string> };
    return { ...pod, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
  });
};

describe('a start', () => {
  it('is tried out once for each template of which something may be left out, and sent strictly', async (t) => {
    const world = await bed(t, MOUNTING);
    start(world.backend, MOUNTING);
    start(world.backend, MOUNTING);
    await until(world.backend, (replicas) =>
      replicas.every(({ state }) => state.kind === 'ready') ? true : undefined,
    );
    start(world.backend, MOUNTING);
    await until(world.backend, (replicas) =>
      replicas.every(({ state }) => state.kind === 'ready') ? true : undefined,
    );
    assert.deepEqual(calls(world).slice(-1), ['create'], 'it is known to be good');
    assert.equal(calls(world)[0], 'create dry-run');
    const creations = world.server.requests.filter(({ verb }) => verb === 'create');
    assert.ok(creations.every(({ query }) => query.get('fieldValidation') === 'Strict'));
  });
  it('of which nothing can be left out is not tried out: what there is against it is said then, too', async (t) => {
    const world = await bed(t);
    start(world.backend);
    await untilState(world.backend, 'ready');
    assert.deepEqual(calls(world), ['create']);
  });
  for (const [what, match] of [
    ['tried out', { verb: 'create', plural: 'pods' }],
    ['created', CREATE],
  ] as const) {
    it(`that is refused when it is ${what} has failed with the server's own words, and leaves nothing`, async (t) => {
      const world = await bed(t, MOUNTING);
      const message = 'pods "x" is forbidden: violates PodSecurity "restricted"';
      world.server.fail(match, { kind: 'status', status: 403, reason: 'Forbidden', message });
      start(world.backend, MOUNTING);
      const replica = await untilState(world.backend, 'failed');
      const { code, reason } = failureOf(replica);
      assert.equal(code, 'CreateRefused');
      assert.ok(reason.includes(message), reason);
      world.backend.forget(replica.id);
      assert.deepEqual(world.backend.observe(), []);
      assert.deepEqual(pods(world), []);
      await startReady(world.backend, MOUNTING);
    });
  }
  it('is refused by a webhook that does not answer; any other trouble of the server passes', async (t) => {
    const world = await bed(t);
    const message = 'Internal error occurred: failed calling webhook "policy.example.com": connection refused';
    world.server.fail(CREATE, { kind: 'status', status: 500, reason: 'InternalError', message: 'etcd is slow' });
    world.server.fail(CREATE, { kind: 'status', status: 500, reason: 'InternalError', message });
    start(world.backend);
    const { code, reason } = failureOf(await untilState(world.backend, 'failed'));
    assert.equal(code, 'CreateRefused');
    assert.ok(reason.startsWith('the pod is refused: ') && reason.endsWith(message), reason);
  });
  it('that is refused as the one before it was is another one, whose failure counts, though its pod has the same name', async (t) => {
    const world = await bed(t);
    world.server.fail(CREATE, { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' }, Infinity);
    const ids = new Set<string>();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      start(world.backend);
      const { id } = await untilState(world.backend, 'failed');
      ids.add(id);
      world.backend.forget(id);
      await untilGone(world.backend);
    }
    assert.equal(ids.size, 2);
  });
  it('that nobody wants any more in the same tick is never sent', async (t) => {
    const world = await bed(t);
    start(world.backend);
    const [replica] = world.backend.observe();
    assert.ok(replica !== undefined);
    drain(world.backend, replica);
    stop(world.backend, replica);
    await untilGone(world.backend);
    assert.deepEqual(calls(world), []);
  });
  it('that nobody wants any more when it was tried out, and its ModelDeployment read, is not sent', async (t) => {
    const answer = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<undefined>();
    const isThere = async (): Promise<boolean> => {
      asked.resolve(undefined);
      return answer.promise;
    };
    const world = await bed(t, MOUNTING, { isThere });
    start(world.backend, MOUNTING);
    await asked.promise;
    drain(world.backend, await untilState(world.backend, 'starting'));
    answer.resolve(true);
    await untilGone(world.backend);
    assert.deepEqual(calls(world), ['create dry-run']);
  });
  it('is not sent while its ModelDeployment is not there, and is given up when nobody declares it any more', async (t) => {
    const asked = Promise.withResolvers<undefined>();
    const isThere = async (): Promise<boolean> => {
      asked.resolve(undefined);
      return Promise.resolve(false);
    };
    const world = await bed(t, EAGER, { isThere });
    start(world.backend);
    await asked.promise;
    drain(world.backend, await untilState(world.backend, 'starting'));
    await untilGone(world.backend);
    assert.ok(!calls(world).includes('create'), calls(world).join(' '));
  });

  it('reads its ModelDeployment while it is tried out, and once more before it is tried again', async (t) => {
    let reads = 0;
    const isThere = async (): Promise<boolean> => {
      reads += 1;
      return Promise.resolve(true);
    };
    const world = await bed(t, MOUNTING, { isThere });
    const hold = world.server.hold({ verb: 'create', plural: 'pods' });
    world.server.fail(CREATE, { kind: 'status', status: 500, reason: 'InternalError', message: 'etcd is slow' });
    start(world.backend, MOUNTING);
    await world.server.until(() => hold.arrived > 0);
    assert.equal(reads, 1, 'not only after that');
    hold.release();
    await untilState(world.backend, 'ready');
    assert.deepEqual([reads, calls(world).filter((call) => call === 'create').length], [2, 2]);
  });
  it('is not sent when its ModelDeployment has gone before it was read, though it would have been taken', async (t) => {
    const readAgain = Promise.withResolvers<undefined>();
    let reads = 0;
    const isThere = async (): Promise<boolean> => {
      reads += 1;
      if (reads === 2) readAgain.resolve(undefined);
      return Promise.resolve(false);
    };
    const world = await bed(t, MOUNTING, { isThere });
    start(world.backend, MOUNTING);
    await Promise.race([readAgain.promise, world.server.until(() => calls(world).includes('create'))]);
    assert.deepEqual(calls(world), ['create dry-run']);
    drain(world.backend, await untilState(world.backend, 'starting'));
    await untilGone(world.backend);
  });
  it('is sent as soon as it was tried out: nobody is told of that, and plans first', async (t) => {
    const world = await bed(t, MOUNTING);
    const hold = world.server.hold(CREATE);
    start(world.backend, MOUNTING);
    const told: string[] = [];
    world.backend.onChange(() => told.push('changed'));
    await world.server.until(() => hold.arrived > 0);
    assert.deepEqual(told, []);
    hold.release();
    await untilState(world.backend, 'ready');
    assert.ok(told.length > 0);
  });
  it('takes the lowest slot that nothing has, not even what is on its way out', async (t) => {
    const world = await bed(t);
    const end = world.kubelet.holdEnds();
    const first = await startReady(world.backend);
    drain(world.backend, first);
    stop(world.backend, first);
    start(world.backend);
    await untilState(world.backend, 'ready');
    assert.deepEqual(
      pods(world).map(({ metadata }) => metadata.name),
      [slot(0), slot(1)],
    );
    end();
    await until(world.backend, (replicas) => (replicas.length === 1 ? true : undefined));
    start(world.backend);
    await until(world.backend, (replicas) =>
      replicas.every(({ state }) => state.kind === 'ready') ? true : undefined,
    );
    assert.ok(world.server.find(PODS, 'ml', slot(0)) !== undefined);
  });
  it('adopts the pod that another leader has created for it already', async (t) => {
    const world = await bed(t);
    const listen = await deafen(world);
    const { metadata } = world.server.put(PODS, renderPod(EAGER, anIdentity({ slot: 0, prefix: '/corral-other' })));
    const replica = await startReady(world.backend);
    assert.equal(replica.id, metadata.uid);
    listen();
    assert.equal(pods(world).length, 1);
  });
  it('waits for the end of an older pod of its name, and is given up with it if nobody wants it any more', async (t) => {
    for (const isWanted of [true, false]) {
      const world = await bed(t);
      const end = world.kubelet.holdEnds();
      const listen = await deafen(world);
      const old = world.server.put(PODS, renderPod(EAGER, anIdentity({ slot: 0, prefix: '/corral-old' })));
      await world.server.until(() => world.kubelet.running().length === 1);
      await world.api.delete(
        PODS,
        { namespace: 'ml', name: slot(0) },
        { uid: old.metadata.uid, resourceVersion: undefined, gracePeriodSeconds: 9 },
      );
      start(world.backend);
      await until(world.backend, (replicas) => replicas.find(({ id }) => id === old.metadata.uid));
      assert.deepEqual(kinds(world.backend).toSorted(), ['starting', 'stopping']);
      const [young] = world.backend.observe().filter(({ state }) => state.kind === 'starting');
      assert.ok(young !== undefined);
      if (!isWanted) {
        drain(world.backend, young);
        stop(world.backend, young);
      }
      listen();
      end();
      if (!isWanted) await untilGone(world.backend);
      else assert.notEqual((await untilState(world.backend, 'ready')).id, old.metadata.uid);
      assert.equal(pods(world).length, isWanted ? 1 : 0);
    }
  });
  it('fails when its name belongs to a pod that is not Corral’s, and leaves that alone', async (t) => {
    const world = await bed(t);
    const { metadata, ...rest } = renderPod(QUIET, anIdentity({ slot: 0, prefix: '/x' }));
    const foreign = { ...rest, metadata: { name: metadata.name, namespace: 'ml' } };
    const before = world.server.put(PODS, foreign);
    start(world.backend);
    const { code, reason } = failureOf(await untilState(world.backend, 'failed'));
    assert.equal(code, 'CreateRefused');
    assert.match(reason, /not Corral's/u);
    assert.deepEqual(pods(world), [before]);
  });
  it('is repeated while the API server is in trouble, and never blindly', async (t) => {
    for (const kind of ['reset', 'reset-after'] as const) {
      const world = await bed(t);
      const listen = await deafen(world);
      world.server.fail(CREATE, { kind });
      world.server.fail({ verb: 'get', plural: 'pods' }, { kind: 'reset' }, 9);
      start(world.backend);
      await until(world.backend, ([replica]) => (replica?.id.startsWith('start:') === false ? true : undefined));
      const made = calls(world).slice(calls(world).indexOf('create'));
      assert.deepEqual([...new Set(made)], ['create', 'get']);
      assert.deepEqual(made.slice(0, 2), ['create', 'get'], 'it is read before it is written again');
      assert.equal(made.filter((call) => call === 'create').length, kind === 'reset' ? 2 : 1);
      listen();
      await untilState(world.backend, 'ready');
      assert.equal(pods(world).length, 1);
    }
  });
  it('of a preset without a template has failed', async (t) => {
    const { backend } = await startPodBed(t, { templates: new Map() });
    start(backend);
    const replica = await untilState(backend, 'failed');
    assert.equal(failureOf(replica).code, 'CreateRefused');
    backend.forget(replica.id);
    assert.deepEqual(backend.observe(), []);
  });
  it('that cannot be created for too long has failed, and what comes of it after all is stopped', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, EAGER, { timers });
    const hold = world.server.hold(CREATE);
    start(world.backend);
    await world.server.until(() => hold.arrived > 0);
    timers.advance(minutes(30));
    const late = await untilState(world.backend, 'failed');
    const { code, startedAt, at } = failureOf(late);
    assert.deepEqual([code, startedAt], ['ProvisionTimeout', at - minutes(30)]);
    world.backend.forget(late.id);
    assert.deepEqual(kinds(world.backend), ['stopping'], 'it holds its place: the pod may come to be');
    hold.release();
    await untilGone(world.backend);
    assert.deepEqual(pods(world), []);
  });
});

describe('a start for which a ResourceQuota has no room', () => {
  const message = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1';
  const REFUSAL = { kind: 'status', status: 403, reason: 'Forbidden', message } as const;
  /** Limits are 200 ms, doubling, and half of each is waited; the alarm of the backend comes before that would be over. */
  const FIRST_PAUSE = milliseconds(100);

  async function refusedOnce(t: TestContext, times: number): Promise<PodBed & { readonly timers: ManualTimers }> {
    const timers = new ManualTimers();
    const world = await bed(t, EAGER, { timers, laneTimers: timers });
    world.server.fail(CREATE, REFUSAL, times);
    start(world.backend);
    await timers.armed(FIRST_PAUSE);
    assert.deepEqual(kinds(world.backend), ['starting']);
    return { ...world, timers };
  }
  /** A creation that is refused when `hold` is released. */
  async function onItsWay(t: TestContext) {
    const timers = new ManualTimers();
    const world = await bed(t, EAGER, { timers, laneTimers: timers });
    const hold = world.server.hold(CREATE);
    world.server.fail(CREATE, REFUSAL);
    start(world.backend);
    await world.server.until(() => hold.arrived > 0);
    return { world, timers, hold };
  }
  const creations = (world: PodBed): number => calls(world).filter((call) => call === 'create').length;

  it('is tried again: what has just gone is counted a moment later', async (t) => {
    const world = await refusedOnce(t, 1);
    world.timers.advance(FIRST_PAUSE);
    await untilState(world.backend, 'ready');
    assert.equal(creations(world), 2);
  });
  it('has failed after 3 s in the words of the API server, also while its next try is to come, and is not tried again', async (t) => {
    const world = await refusedOnce(t, Infinity);
    for (const pause of [100, 200, 400, 800]) {
      await world.timers.armed(milliseconds(pause));
      world.timers.advance(milliseconds(pause));
    }
    await world.timers.armed(milliseconds(1_600));
    world.timers.advance(milliseconds(1_499));
    assert.deepEqual(kinds(world.backend), ['starting']);
    world.timers.advance(milliseconds(1));
    const [replica] = world.backend.observe();
    assert.ok(replica !== undefined);
    const { code, reason, startedAt, at } = failureOf(replica);
    assert.deepEqual([code, startedAt, at], ['QuotaExceeded', 0, 3_000]);
    assert.ok(reason.startsWith('the pod is refused: ') && reason.endsWith(message), reason);
    world.backend.forget(replica.id);
    await untilGone(world.backend);
    assert.equal(creations(world), 5);
    start(world.backend);
    await world.timers.rearmed(FIRST_PAUSE);
    assert.deepEqual(kinds(world.backend), ['starting'], 'the next one has its own time');
  });
  it('tells of its end by itself', async (t) => {
    const world = await refusedOnce(t, Infinity);
    const told = until(world.backend, (replicas) => replicas.find(({ state }) => state.kind === 'failed'));
    await world.timers.armed(seconds(3));
    world.timers.advance(seconds(3));
    assert.equal(failureOf(await told).code, 'QuotaExceeded');
  });
  it('has failed at once where it is older than that', async (t) => {
    const { world, timers, hold } = await onItsWay(t);
    timers.advance(seconds(4));
    assert.deepEqual(kinds(world.backend), ['starting'], 'nobody has refused it');
    hold.release();
    const { code, startedAt, at } = failureOf(await untilState(world.backend, 'failed'));
    assert.deepEqual([code, startedAt, at], ['QuotaExceeded', 0, 4_000], 'and for good');
  });
  it('has failed when its provision timeout is over, if that is sooner', async (t) => {
    const hasty = templateOf(aPodSettings({ provisionTimeout: seconds(2) }));
    const timers = new ManualTimers();
    const world = await bed(t, hasty, { timers, laneTimers: timers });
    world.server.fail(CREATE, REFUSAL, Infinity);
    start(world.backend, hasty);
    await timers.armed(FIRST_PAUSE);
    timers.advance(seconds(2));
    assert.equal(failureOf(await untilState(world.backend, 'failed')).code, 'QuotaExceeded');
  });
  it('is given up at once when nobody wants it any more', async (t) => {
    const world = await refusedOnce(t, Infinity);
    const replica = await untilState(world.backend, 'starting');
    drain(world.backend, replica);
    stop(world.backend, replica);
    await untilGone(world.backend);
    assert.equal(creations(world), 1);
    assert.deepEqual(world.timers.delays, [], 'nothing is waited for any more');
  });
  it('is given up without a failure when nobody wants it any more while it is on its way', async (t) => {
    const { world, hold } = await onItsWay(t);
    const seen = new Set<string>();
    world.backend.onChange(() => {
      for (const kind of kinds(world.backend)) seen.add(kind);
    });
    drain(world.backend, await untilState(world.backend, 'starting'));
    hold.release();
    await untilGone(world.backend);
    assert.deepEqual([[...seen], creations(world)], [['draining'], 1]);
  });
  it('is made when the order to drain it is taken back', async (t) => {
    const world = await refusedOnce(t, 1);
    const replica = await untilState(world.backend, 'starting');
    drain(world.backend, replica);
    cancel(world.backend, replica);
    await untilState(world.backend, 'ready');
  });
});

describe('a backend that is closed', () => {
  it('times nothing any more, also when a write is answered only then: a timer would keep its process alive', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, QUIET, { timers });
    const hold = world.server.hold(CREATE);
    start(world.backend, QUIET);
    await world.server.until(() => hold.arrived > 0);
    assert.notDeepEqual(timers.delays, []);
    const told = new Promise<void>((resolve) => {
      world.backend.onChange(resolve);
    });
    world.backend.close();
    hold.release();
    await told;
    assert.deepEqual(timers.delays, []);
  });
});

describe('the provision timeout', () => {
  it('counts from the order, however long the creation took', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, QUIET, { timers });
    const hold = world.server.hold(CREATE);
    start(world.backend, QUIET);
    await world.server.until(() => hold.arrived > 0);
    timers.advance(minutes(20));
    hold.release();
    await until(world.backend, ([replica]) => (replica?.id.startsWith('start:') === false ? true : undefined));
    await timers.armed(minutes(10));
    timers.advance(minutes(10));
    assert.equal(failureOf(await untilState(world.backend, 'failed')).code, 'ProvisionTimeout');
  });
});

describe('a gate', () => {
  it('is confirmed closed when the API server has answered, and not before', async (t) => {
    const world = await bed(t);
    const replica = await startReady(world.backend);
    assert.deepEqual(world.backend.gateOf(replica.id), { closed: false, epoch: 0, confirmed: true });
    const closings: unknown[] = [];
    world.backend.onGateClosed((id, epoch) => closings.push([id, epoch]));
    const hold = world.server.hold({ verb: 'patch' }, 'answer');
    const listen = await deafen(world);
    drain(world.backend, replica);
    await world.server.until(() => hold.arrived > 0);
    assert.deepEqual(gates(world), ['closed/1']);
    assert.deepEqual(world.backend.gateOf(replica.id), { closed: true, epoch: 0, confirmed: false });
    assert.deepEqual(closings, []);
    hold.release();
    await until(world.backend, () => (closings.length > 0 ? true : undefined));
    assert.deepEqual(closings, [[replica.id, 1]]);
    assert.deepEqual(world.backend.gateOf(replica.id), { closed: true, epoch: 1, confirmed: true });
    cancel(world.backend, replica);
    assert.equal(world.backend.gateOf(replica.id)?.confirmed, false);
    await world.server.until(() => gates(world)[0] === 'open/2');
    listen();
    assert.equal(world.backend.gateOf(replicaId('nobody')), undefined);
  });
  it('is found closed by the next leader, with its cause and for whom', async (t) => {
    const world = await bed(t);
    const { id } = await startReady(world.backend);
    const cause = { kind: 'evicted', beneficiary: presetOf(QUIET).uid } as const;
    world.backend.apply({ kind: 'drain', replica: id, cause });
    await world.server.until(() => gates(world)[0] === 'closed/1');
    const { backend } = await startBackend(t, world.api, { templates: new Map() });
    const [replica] = backend.observe();
    assert.ok(replica?.state.kind === 'draining');
    assert.deepEqual([replica.id, replica.state.cause], [id, cause]);
    assert.deepEqual(backend.gateOf(id), { closed: true, epoch: 1, confirmed: true });
    cancel(backend, replica);
    await world.server.until(() => gates(world)[0] === 'open/2');
    const { annotations = {} } = pods(world)[0]?.metadata ?? {};
    assert.ok(!(ANNOTATION.drainCause in annotations) && !(ANNOTATION.drainFor in annotations));
  });
  it('that nobody can read is closed with an epoch that was never used', async (t) => {
    const world = await bed(t);
    const { id } = await startReady(world.backend);
    annotate(world, slot(0), { [ANNOTATION.gate]: 'ajar' });
    const replica = await untilState(world.backend, 'draining');
    assert.equal(replica.id, id);
    await until(world.backend, () => (world.backend.gateOf(id)?.closed === true ? true : undefined));
    assert.ok((world.backend.gateOf(id)?.epoch ?? 0) > 1);
  });
});

describe('a stop', () => {
  it('deletes the pod that was drained, in the state in which its gate was seen closed', async (t) => {
    const world = await bed(t);
    const end = world.kubelet.holdEnds();
    const replica = await startReady(world.backend);
    drain(world.backend, replica);
    stop(world.backend, replica);
    await world.server.until(() => pods(world).some(({ metadata }) => metadata.deletionTimestamp !== undefined));
    const [request, ...more] = world.server.requests.filter(({ verb }) => verb === 'delete');
    assert.deepEqual(more, []);
    const { preconditions, gracePeriodSeconds } = request?.body ?? {};
    const { uid, resourceVersion } = preconditions as { uid: string; resourceVersion: string };
    assert.equal(uid, replica.id);
    assert.match(resourceVersion, /^\d+$/u);
    assert.equal(gracePeriodSeconds, 1);
    assert.deepEqual(gates(world), ['closed/1'], 'also when it is stopped in the tick in which it drains');
    end();
    await untilGone(world.backend);
  });
  it('is tried again when the pod has changed and its gate has not', async (t) => {
    const world = await bed(t);
    const replica = await startReady(world.backend);
    drain(world.backend, replica);
    await until(world.backend, () => (world.backend.gateOf(replica.id)?.closed === true ? true : undefined));
    const listen = await deafen(world);
    annotate(world, slot(0), { somebody: 'else' });
    stop(world.backend, replica);
    await untilGone(world.backend);
    assert.equal(calls(world).filter((call) => call === 'delete').length, 2);
    listen();
  });
  it('is void when somebody has opened the gate, and the replica is ready again', async (t) => {
    const world = await bed(t);
    const replica = await startReady(world.backend);
    drain(world.backend, replica);
    await until(world.backend, () => (world.backend.gateOf(replica.id)?.closed === true ? true : undefined));
    const listen = await deafen(world);
    for (const gate of ['open/2', 'closed/3']) {
      annotate(world, slot(0), { [ANNOTATION.gate]: gate });
    }
    stop(world.backend, replica);
    await untilState(world.backend, 'draining');
    assert.equal(pods(world)[0]?.metadata.deletionTimestamp, undefined, 'also when it is closed for another time');
    annotate(world, slot(0), { [ANNOTATION.gate]: 'open/4' });
    stop(world.backend, replica);
    await untilState(world.backend, 'ready');
    assert.deepEqual(gates(world), ['open/4']);
    listen();
  });
  it('whose answer is lost is read back, and done once', async (t) => {
    const world = await bed(t);
    const replica = await startReady(world.backend);
    world.server.fail({ verb: 'patch' }, { kind: 'reset-after' });
    world.server.fail({ verb: 'delete' }, { kind: 'reset-after' });
    drain(world.backend, replica);
    stop(world.backend, replica);
    await untilGone(world.backend);
    assert.deepEqual(
      calls(world).filter((call) => call === 'patch' || call === 'delete'),
      ['patch', 'delete'],
    );
  });
});

describe('a cancel', () => {
  it('that comes after somebody has deleted the pod is lost', async (t) => {
    const world = await bed(t);
    const end = world.kubelet.holdEnds();
    const replica = await startReady(world.backend);
    drain(world.backend, replica);
    await until(world.backend, () => (world.backend.gateOf(replica.id)?.closed === true ? true : undefined));
    const listen = await deafen(world);
    await world.api.delete(
      PODS,
      { namespace: 'ml', name: slot(0) },
      { uid: replica.id, resourceVersion: undefined, gracePeriodSeconds: 9 },
    );
    cancel(world.backend, replica);
    assert.deepEqual(kinds(world.backend), ['ready'], 'it counts until it is known to be lost');
    await untilState(world.backend, 'stopping');
    assert.deepEqual(gates(world), ['closed/1']);
    listen();
    end();
    await untilGone(world.backend);
  });
});

describe('a failed replica', () => {
  it('that no node takes has failed after the pool’s patience, and holds its place until its pod is gone', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, QUIET, { timers });
    start(world.backend, QUIET);
    await world.server.until(() => pods(world).length === 1);
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '1 Insufficient gpu' };
    world.server.edit(PODS, { namespace: 'ml', name: `${QUIET.baseName}-0` }, (pod) => ({
      ...pod,
      status: { phase: 'Pending', conditions: [condition] },
    }));
    await timers.armed(seconds(2));
    timers.advance(seconds(2));
    const [early] = world.backend.observe();
    assert.ok(early?.state.kind === 'starting');
    assert.equal(early.state.trouble?.code, 'Unschedulable', 'it is told before it counts');
    await timers.armed(seconds(3));
    timers.advance(seconds(3));
    const replica = await untilState(world.backend, 'failed');
    assert.equal(failureOf(replica).code, 'Unschedulable');
    world.backend.forget(replica.id);
    assert.deepEqual(kinds(world.backend), ['stopping']);
    await untilGone(world.backend);
    assert.deepEqual(pods(world), []);
  });
  it('that becomes ready in the last instant stays', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, QUIET, { timers });
    start(world.backend, QUIET);
    const name = `${QUIET.baseName}-0`;
    await world.server.until(() => pods(world).length === 1);
    world.kubelet.setStatus(name, runningStatus(false));
    await timers.armed(minutes(10));
    timers.advance(minutes(10));
    const replica = await untilState(world.backend, 'failed');
    const listen = await deafen(world);
    world.kubelet.setStatus(name, runningStatus(true));
    world.backend.forget(replica.id);
    await untilState(world.backend, 'ready');
    listen();
    assert.equal(pods(world)[0]?.metadata.deletionTimestamp, undefined);
  });
  it('is deleted when its failure is written down, and not before', async (t) => {
    let isTold = false;
    const world = await bed(t, QUIET, { isToldOf: () => isTold });
    start(world.backend, QUIET);
    await world.server.until(() => pods(world).length === 1);
    world.kubelet.setStatus(`${QUIET.baseName}-0`, failedStatus(1, ''));
    const { id } = await untilState(world.backend, 'failed');
    world.backend.forget(id);
    // Its lane has looked by then, and nothing is on its way that would make it look again.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!calls(world).includes('delete'));
    isTold = true;
    world.backend.failuresTold();
    await world.server.until(() => pods(world).length === 0);
  });

  it('that was ready, and whose server may still answer, ends in its own time', async (t) => {
    for (const isRunning of [true, false]) {
      const timers = new ManualTimers();
      const world = await bed(t, QUIET, { timers });
      start(world.backend, QUIET);
      await world.server.until(() => pods(world).length === 1);
      const name = `${QUIET.baseName}-0`;
      world.kubelet.setStatus(name, runningStatus(true));
      const { id } = await untilState(world.backend, 'ready');
      world.kubelet.setStatus(name, isRunning ? runningStatus(false) : failedStatus(1, ''));
      if (isRunning) {
        await timers.armed(minutes(10));
        timers.advance(minutes(10));
      }
      await untilState(world.backend, 'failed');
      world.backend.forget(id);
      await world.server.until(() => pods(world).length === 0);
      const [request] = world.server.requests.filter(({ verb }) => verb === 'delete');
      assert.equal(request?.body['gracePeriodSeconds'], isRunning ? undefined : 1);
    }
  });
});

describe('pods', () => {
  it('that no ModelDeployment controls are neither seen nor touched, whatever their labels', async (t) => {
    const world = await bed(t);
    const { metadata, ...rest } = renderPod(EAGER, anIdentity({ slot: 7, prefix: '/x' }));
    world.server.put(PODS, { ...rest, metadata: { ...metadata, ownerReferences: [] } });
    await world.server.until(() => world.kubelet.running().length === 1);
    await startReady(world.backend);
    assert.equal(world.backend.observe().length, 1);
    assert.equal(calls(world).filter((call) => call === 'patch' || call === 'delete').length, 0);
  });
  it('say what they take and where, also to another operator; one made before there were bins is somewhere, with its limits', async (t) => {
    const resources = { limits: { 'example.com/gpu': 1 } };
    const template = templateOf(aPodSettings({ resources, env: [{ name: 'FAKE', value: 'ready' }] }));
    const world = await bed(t, template);
    const older = renderPod(template, anIdentity({ slot: 7 }));
    const annotations = Object.entries(older.metadata['annotations'] as object).filter(
      ([key]) => key !== ANNOTATION.bin && key !== ANNOTATION.footprint,
    );
    world.server.put(PODS, { ...older, metadata: { ...older.metadata, annotations: Object.fromEntries(annotations) } });
    const preset = { ...presetOf(template), footprint: new Map([['vram', 9000]]) };
    world.backend.apply({ kind: 'start', preset, bin: binName('left') });
    const allReady = (replicas: readonly Replica[]): true | undefined =>
      replicas.length === 2 && replicas.every(({ state }) => state.kind === 'ready') ? true : undefined;
    await until(world.backend, allReady);
    const next = await startBackend(t, world.api, { templates: declared(template) });
    await until(next.backend, allReady);
    for (const { backend } of [world, next]) {
      const seen = new Map(backend.observe().map(({ bin, footprint }) => [bin, footprint]));
      assert.deepEqual(
        seen,
        new Map([
          [undefined, new Map([['example.com/gpu', 1000]])],
          ['left', new Map([['vram', 9000]])],
        ]),
      );
    }
  });
  it('that somebody changes again and again are put back once a minute, and hold their places meanwhile', async (t) => {
    const timers = new ManualTimers();
    const world = await bed(t, EAGER, { timers });
    await startReady(world.backend);
    const strip = (): void => {
      world.server.edit(PODS, { namespace: 'ml', name: slot(0) }, (pod) => {
        const metadata = pod['metadata'] as { labels: Record<string, string> };
        return { ...pod, metadata: { ...metadata, labels: { [LABEL.preset]: 'small' } } };
      });
    };
    const patches = (): number => calls(world).filter((call) => call === 'patch').length;
    const again = 'warn a pod was changed by others again; it is put back in a minute';
    strip();
    await world.server.until(() => patches() === 1);
    await untilState(world.backend, 'ready');
    strip();
    await until(world.backend, () => (world.log.lines.includes(again) ? true : undefined));
    assert.deepEqual([kinds(world.backend), patches()], [['stopping'], 1]);
    // What has come to that ends first, as it does before any alarm of a real clock.
    await nextTurn();
    timers.advance(milliseconds(59_999));
    assert.equal(patches(), 1);
    timers.advance(milliseconds(1));
    await untilState(world.backend, 'ready');
    assert.equal(patches(), 2);
  });
  it('that others have changed are put back by whoever leads alone, and what is gone is gone for all', async (t) => {
    const world = await bed(t);
    const { id } = await startReady(world.backend);
    let isLeading = false;
    const standby = await startBackend(t, world.api, { templates: declared(EAGER), isLeading: () => isLeading });
    await untilState(standby.backend, 'ready');
    const hold = world.server.hold({ verb: 'patch', plural: 'pods' });
    world.server.edit(PODS, { namespace: 'ml', name: slot(0) }, (pod) => ({
      ...pod,
      metadata: { ...(pod['metadata'] as object), labels: {} },
    }));
    await untilState(standby.backend, 'stopping');
    await world.server.until(() => hold.arrived === 1 && calls(world).filter((call) => call === 'get').length >= 2);
    assert.deepEqual(kinds(world.backend), ['ready'], 'it is back in a moment, and nobody starts another one');
    assert.ok(!standby.log.lines.some((line) => line.includes('put back')));
    isLeading = true;
    standby.backend.observe();
    await world.server.until(() => hold.arrived === 2);
    hold.release();
    await untilState(standby.backend, 'ready');
    world.server.finishDeletion(id);
    await Promise.all([untilGone(standby.backend), untilGone(world.backend)]);
  });
  it('count in the pool of their preset where somebody has taken the pool’s name away before anybody saw them', async (t) => {
    const world = await bed(t);
    const { annotations, ...metadata } = renderPod(EAGER, anIdentity()).metadata;
    const { [ANNOTATION.pool]: pool, ...rest } = annotations as Record<string, string>;
    world.server.put(PODS, { ...renderPod(EAGER, anIdentity()), metadata: { ...metadata, annotations: rest } });
    assert.equal((await untilState(world.backend, 'ready')).pool, pool);
  });
  it('of a life that is over are seen as that life’s', async (t) => {
    const world = await bed(t);
    const owner = { namespace: 'ml', name: 'chat', uid: 'earlier-life' };
    const earlier = templateOf(aPodSettings({ owner, env: [{ name: 'FAKE', value: 'ready' }] }));
    world.server.put(PODS, renderPod(earlier, anIdentity({ slot: 0, prefix: '/x' })));
    const replica = await untilState(world.backend, 'ready');
    assert.equal(replica.preset, presetOf(earlier).uid);
    assert.notEqual(replica.preset, presetOf(EAGER).uid);
  });
});

describe('a stop without the word of an edge', () => {
  const deletions = ({ server }: PodBed): readonly FakeRequest[] =>
    server.requests.filter(({ verb, resource }) => verb === 'delete' && resource.plural === 'pods');

  it('leaves the pod its own grace, in which the guard waits for its slots, and is told', async (t) => {
    const pods = await bed(t, EAGER, { unheard: () => ['edge-1'] });
    const replica = await startReady(pods.backend);
    drain(pods.backend, replica);
    await untilState(pods.backend, 'draining');
    stop(pods.backend, replica);
    await untilGone(pods.backend);
    assert.deepEqual(
      deletions(pods).map(({ body }) => body['gracePeriodSeconds']),
      [undefined],
    );
    assert.deepEqual(
      pods.log.lines.filter((line) => line.includes('presumed')),
      ['warn presumed'],
    );
  });

  it('is decided anew when it could not be written: it was true for the moment only', async (t) => {
    const pods = await bed(t, EAGER, { unheard: () => ['edge-1'] });
    const replica = await startReady(pods.backend);
    drain(pods.backend, replica);
    await pods.server.until(() => isClosed(pods));
    for (const status of [409, 503]) {
      const reason = status === 409 ? 'Conflict' : 'ServiceUnavailable';
      pods.server.fail({ verb: 'delete', plural: 'pods' }, { kind: 'status', status, reason }, 1);
      const before = deletions(pods).length;
      stop(pods.backend, replica);
      assert.deepEqual(kinds(pods.backend), ['stopping']);
      await untilState(pods.backend, 'draining');
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      assert.equal(deletions(pods).length, before + 1, 'it is not tried again');
    }
    stop(pods.backend, replica);
    await untilGone(pods.backend);
  });
});

const isClosed = ({ server }: PodBed): boolean =>
  server.objects(PODS)[0]?.metadata.annotations?.[ANNOTATION.gate] === 'closed/1';

describe('what is no conflict is tried again with growing pauses', () => {
  const GROWING = [200, 400, 800, 1600, 3200];
  const grown = ({ delays }: EagerTimers): readonly number[] => delays.slice(0, GROWING.length).map(Math.ceil);

  it('a start whose ModelDeployment is not there', async (t) => {
    const laneTimers = new EagerTimers(seconds(60), () => 0.9999);
    const enough = Promise.withResolvers<undefined>();
    const isThere = async (): Promise<boolean> => {
      if (laneTimers.delays.length >= GROWING.length) enough.resolve(undefined);
      return Promise.resolve(false);
    };
    const world = await bed(t, EAGER, { isThere, laneTimers });
    start(world.backend);
    await enough.promise;
    assert.deepEqual(grown(laneTimers), GROWING);
  });

  it('a write that is refused', async (t) => {
    const laneTimers = new EagerTimers(seconds(60), () => 0.9999);
    const world = await bed(t, EAGER, { laneTimers });
    const replica = await startReady(world.backend);
    const message = 'a policy says no';
    world.server.fail({ verb: 'patch', plural: 'pods' }, { kind: 'status', status: 403, reason: 'Forbidden', message }, 5); // prettier-ignore
    drain(world.backend, replica);
    await until(world.backend, () => (gates(world)[0] === 'closed/1' ? true : undefined));
    assert.deepEqual(grown(laneTimers), GROWING);
  });
});
