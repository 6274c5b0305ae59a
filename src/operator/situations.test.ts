import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { checkObject } from '../api/check-object.ts';
import type { DeploymentVerdict } from '../api/cluster/accept.ts';
import { type ClusterObject, decodePool } from '../api/cluster/decode-objects.ts';
import { renderPoolStatus } from '../api/cluster/render-pool-status.ts';
import { renderStatus } from '../api/cluster/render-status.ts';
import type { Moment } from '../api/cluster/routed-presets.ts';
import {
  type ModelDeploymentStatus,
  ModelDeploymentStatusSchema,
  type PresetStatus,
} from '../api/model-deployment-schema.ts';
import { type ModelPoolStatus, ModelPoolStatusSchema } from '../api/model-pool-schema.ts';
import type { DrainCause, Replica, ReplicaState } from '../domain/replica.ts';
import { replicaId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import {
  clusterWorld,
  draining,
  podOf,
  ready,
  starting,
  stopping,
  uidOf,
  type WorldSketch,
} from '../testing/cluster-worlds.ts';
import { declared, declaredPool, declaredPreset } from '../testing/declared-objects.ts';
import { A_FAILURE } from '../testing/worlds.ts';
import { situationsOf, type World } from './situations.ts';

const momentAt = (seconds: number): Moment => ({
  now: instant(seconds * 1000),
  wall: Date.parse('2026-01-01T00:00:00Z') + seconds * 1000,
});

/** The status of the first ModelDeployment, after it was written and read back. */
function statusOf(objects: readonly ClusterObject[], sketch: WorldSketch = {}, seconds = 100): ModelDeploymentStatus {
  const { deployments, names } = situationsOf(clusterWorld(objects, sketch));
  const [situation] = deployments;
  assert.ok(situation !== undefined);
  const status = renderStatus(situation, momentAt(seconds), (uid) => names.get(uid));
  return JSON.parse(JSON.stringify(status)) as ModelDeploymentStatus;
}

const presetOf = (status: ModelDeploymentStatus): PresetStatus | undefined => status.presets?.[0];
const conditionsOf = ({ conditions = [] }: ModelDeploymentStatus): string[] =>
  conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const withStatus = (object: ClusterObject, status: object): ClusterObject => ({ ...object, status });

const failed: Replica['state'] = {
  kind: 'failed',
  failure: A_FAILURE,
};
const chat = declared('chat', [declaredPreset('a', { aliases: ['b'] }), declaredPreset('c')]);

test('the status of a ModelDeployment with one loaded model, as it is written', () => {
  const sketch = { replicas: [podOf('chat/a', ready(40_000))], idleSince: { 'chat/a': 70_000 } };
  assert.deepEqual(statusOf([chat], sketch), {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:01:40Z',
        reason: 'Accepted',
        message: 'the spec is used',
      },
      {
        type: 'PresetsAccepted',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:01:40Z',
        reason: 'Accepted',
        message: 'every preset is accepted',
      },
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:01:40Z',
        reason: 'Ready',
        message: 'every accepted preset is loaded, or is loaded when it is asked for',
      },
    ],
    presets: [
      {
        name: 'a',
        phase: 'Ready',
        names: ['a', 'b'],
        uid: 'chat-uid',
        replicas: 1,
        readyReplicas: 1,
        lastLoadedTime: '2026-01-01T00:00:40Z',
        loadSeconds: 2,
        lastUsedTime: '2026-01-01T00:01:10Z',
      },
      { name: 'c', phase: 'Unloaded', names: ['c'], uid: 'chat-uid', replicas: 0, readyReplicas: 0 },
    ],
    models: 'a, c',
    loaded: '1/2',
  });
});

describe('a preset says', () => {
  const say = (sketch: WorldSketch, objects: readonly ClusterObject[] = [chat]): string => {
    const { phase, reason = '', message = '' } = presetOf(statusOf(objects, sketch)) ?? { phase: undefined };
    return `${String(phase)} ${reason}: ${message}`;
  };

  it('what it waits for, and that it loads', () => {
    const waitsFor = { reason: 'WaitingForCapacity', because: 'room' } as const;
    assert.equal(say({ standings: { 'chat/a': { waitsFor } } }), 'Waiting WaitingForCapacity: room');
    assert.equal(say({ replicas: [podOf('chat/a', starting)] }), 'Loading : ');
  });

  it('what it does not get over while it loads, and so does the condition Ready', () => {
    const trouble = { code: 'NotStarting', words: 'FailedMount: no disk' } as const;
    const sketch = { replicas: [podOf('chat/a', { kind: 'starting', since: instant(0), trouble })] };
    assert.equal(say(sketch), 'Loading NotStarting: FailedMount: no disk');
    const { conditions } = statusOf([chat], sketch);
    const ready = conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual(
      [ready?.status, ready?.reason, ready?.message],
      ['False', 'NotStarting', 'a: FailedMount: no disk'],
    );
  });

  it('why it stops, where somebody else stops it', () => {
    const stops = (cause: DrainCause): string => say({ replicas: [podOf('chat/a', stopping(cause))] });
    assert.equal(stops({ kind: 'deleted' }), 'Stopping PodDeleted: somebody has deleted its pod');
    assert.equal(
      stops({ kind: 'deleted', words: 'drain' }),
      'Stopping PodDeleted: somebody has deleted its pod: drain',
    );
    assert.match(stops({ kind: 'nodeLost' }), /^Stopping NodeLost: its node does not answer/u);
  });

  it('why it fits nowhere, before anybody asks for it', () => {
    const large = declared('chat', [declaredPreset('a', { footprint: { vram: '30Gi', gpu: 1 } })]);
    const pool = (vram: string): ClusterObject[] => [
      declaredPool('default', { capacity: { resources: { vram, gpu: 1 } } }),
    ];
    const why = 'it needs 30Gi of vram, and its pool has 24Gi';
    assert.equal(say({ pools: pool('24Gi') }, [large]), `Unloaded TooLarge: ${why}`);
    const status = statusOf([large], { pools: pool('24Gi') });
    assert.equal(conditionsOf(status)[2], 'Ready=False TooLarge');
    assert.equal(status.conditions?.[2]?.message, `a: ${why}`);
    assert.equal(say({ pools: pool('30Gi') }, [withStatus(large, status)]), 'Unloaded : ');
  });

  it('when it was loaded, at the latest when it leaves: whoever led may have ended before it told', () => {
    const loaded = (state: ReplicaState, object = chat): unknown =>
      presetOf(statusOf([object], { replicas: [podOf('chat/a', state)] }))?.lastLoadedTime;
    const told = statusOf([chat], { replicas: [podOf('chat/a', ready())] });
    const leaving = draining({ kind: 'idle' });
    assert.equal(loaded(leaving, withStatus(chat, told)), presetOf(told)?.lastLoadedTime);
    assert.equal(typeof loaded(leaving), 'string');
    assert.equal(loaded(draining({ kind: 'removed' })), undefined, 'one that still loads leaves so, too');
    assert.equal(loaded(starting), undefined);
  });

  it('how long its last load took, until the next one, and nothing where nobody has measured one', () => {
    const seconds = (sketch: WorldSketch, object = chat): unknown => presetOf(statusOf([object], sketch))?.loadSeconds;
    const told = withStatus(chat, statusOf([chat], { replicas: [podOf('chat/a', ready(0, 7400))] }));
    assert.equal(seconds({}, told), 7);
    assert.equal(seconds({ replicas: [podOf('chat/a', starting)] }, told), 7);
    const again = withStatus(chat, statusOf([told], {}));
    assert.equal(seconds({ replicas: [podOf('chat/a', ready(0, 9000))] }, again), 9);
    assert.equal(seconds({ replicas: [podOf('chat/a', draining({ kind: 'idle' }))] }), undefined);
  });

  it('how long a load took before, or nothing, where nobody has seen the last one', () => {
    const unseen: ReplicaState = { ...ready(), loadTime: undefined };
    const told = (object: ClusterObject): unknown[] => {
      const preset = presetOf(statusOf([object], { replicas: [podOf('chat/a', unseen)] }));
      return [typeof preset?.lastLoadedTime, preset?.loadSeconds];
    };
    assert.deepEqual(told(chat), ['string', undefined]);
    const before = statusOf([withStatus(chat, statusOf([chat], { replicas: [podOf('chat/a', ready(0, 7400))] }))]);
    assert.deepEqual(told(withStatus(chat, before)), ['string', 7]);
  });

  it('nothing new where another leader has measured the load of a replica that is ready otherwise', () => {
    const sketch = (loadTime: number): WorldSketch => ({ replicas: [podOf('chat/a', ready(0, loadTime))] });
    const told = withStatus(chat, statusOf([chat], sketch(7000)));
    assert.deepEqual(statusOf([told], sketch(60_000), 110), told['status']);
  });

  it('how many of its replicas there are, and how many serve', () => {
    const surplus = draining({ kind: 'surplus' });
    const replicas = [ready(), ready(), surplus, starting].map((state, index) => podOf('chat/a', state, `p${index}`));
    const preset = presetOf(statusOf([chat], { replicas }));
    assert.deepEqual([preset?.phase, preset?.replicas, preset?.readyReplicas], ['Ready', 4, 2]);
    assert.equal(say({ replicas: [podOf('chat/a', surplus)] }), 'Draining Surplus: its requests need fewer replicas');
  });

  it('why it leaves, and for whom', () => {
    const cause = { kind: 'evicted', beneficiary: uidOf('chat/c') } as const;
    const sketch = { replicas: [podOf('chat/a', draining(cause))] };
    assert.equal(say(sketch), 'Draining Evicted: it makes room for ml/chat/c');
    const left = statusOf([chat], sketch);
    assert.equal(presetOf(left)?.evictedFor, 'ml/chat/c');
    const after = statusOf([withStatus(chat, left)]);
    assert.deepEqual([presetOf(after)?.phase, presetOf(after)?.evictedFor], ['Unloaded', 'ml/chat/c']);
    const again = statusOf([withStatus(chat, after)], { replicas: [podOf('chat/a', starting)] });
    assert.equal(presetOf(again)?.evictedFor, undefined);
    assert.equal(say({ replicas: [podOf('chat/a', stopping({ kind: 'idle' }))] }).startsWith('Stopping Idle'), true);
  });

  it('why it failed, with the last lines that fit, also while what is left of it is removed', () => {
    const logTail = ['x'.repeat(900), 'y'.repeat(200), 'last\u0000 line'];
    const backOff = {
      code: 'CrashedOnLoad',
      reason: 'it broke',
      logTail,
      exitCode: 1,
      failures: 2,
      retryAt: instant(130_000),
    } as const;
    const replicas = [podOf('chat/a', stopping({ kind: 'failed' }))];
    const status = statusOf([chat], { replicas, standings: { 'chat/a': { backOff } } });
    const preset = presetOf(status);
    assert.equal(preset?.phase, 'Failed');
    assert.deepEqual([preset.reason, preset.failures, preset.replicas], ['CrashedOnLoad', 2, 1]);
    assert.equal(preset.message, `it broke\n${'y'.repeat(200)}\nlast  line`);
    assert.deepEqual(preset.backOff, { nextRetryTime: '2026-01-01T00:02:10Z' });
    assert.deepEqual(conditionsOf(status)[2], 'Ready=False LoadFailed');
    const loading = presetOf(statusOf([withStatus(chat, status)], { replicas: [podOf('chat/a', starting)] }));
    assert.deepEqual([loading?.failures, loading?.backOff], [2, undefined], 'they count until it is ready');
    const loaded = presetOf(statusOf([withStatus(chat, status)], { replicas: [podOf('chat/a', ready())] }));
    assert.equal(loaded?.failures, undefined);
  });

  it('why it failed also after its back-off, until it is tried again or its spec is another', () => {
    const backOff = { reason: 'it broke', logTail: ['a line'], exitCode: 1, failures: 1, retryAt: instant(110_000) };
    const failed = statusOf([chat], { standings: { 'chat/a': { backOff } } });
    const later = statusOf([withStatus(chat, failed)], {}, 1000);
    const { backOff: over, ...rest } = presetOf(failed) ?? {};
    assert.equal(over?.nextRetryTime, '2026-01-01T00:01:50Z');
    assert.deepEqual(presetOf(later), rest, 'edges refuse nobody any more');
    assert.deepEqual(later.conditions?.[2]?.message, 'a: it broke');
    const tried = statusOf([withStatus(chat, later)], { replicas: [podOf('chat/a', starting)] });
    assert.deepEqual([presetOf(tried)?.phase, conditionsOf(tried)[2]], ['Loading', 'Ready=True Ready']);
    const changed = declared('chat', [declaredPreset('a')], { generation: 2 });
    const unknown = statusOf([withStatus(changed, later)]);
    assert.deepEqual([presetOf(unknown)?.phase, presetOf(unknown)?.message], ['Unloaded', undefined]);
  });

  it('no more that it failed where what its pool adds to its spec is another now, and goes on saying so where it is not', () => {
    const render =
      (rendered: string): NonNullable<WorldSketch['render']> =>
      (settings) => ({ ok: true, template: { rendered, settings } });
    const failure = { code: 'ImagePull', reason: 'no image', exitCode: undefined, logTail: [], at: instant(90_000), startedAt: undefined, readyFor: undefined } as const; // prettier-ignore
    const note = { failure, rendered: 'typo', count: 1, firstAt: failure.at, counted: [], until: instant(110_000) };
    const failures = new Map([[uidOf('chat/a'), note]]);
    const standings = { 'chat/a': { backOff: { ...failure, failures: 1, retryAt: note.until } } };
    const failed = withStatus(chat, statusOf([chat], { render: render('typo'), failures, standings }));
    const later = (sketch: WorldSketch): unknown[] => {
      const status = statusOf([failed], sketch, 1000);
      return [presetOf(status)?.phase, presetOf(status)?.message, conditionsOf(status)[2]];
    };
    const kept = ['Failed', 'no image', 'Ready=False LoadFailed'];
    assert.deepEqual(later({ render: render('typo'), failures }), kept);
    assert.deepEqual(later({ render: render('typo') }), kept, 'also by one who remembers none');
    assert.deepEqual(later({ render: render('mended'), failures }), ['Unloaded', undefined, 'Ready=True Ready']);
    assert.deepEqual(later({ render: render('mended') }), ['Unloaded', undefined, 'Ready=True Ready']);
  });

  it('what whoever leads next has to know of its last failure, written anew for each, and not when a pod of it is gone', () => {
    const failure = { code: 'OOMKilled', reason: 'x', exitCode: 1, logTail: [], at: instant(90_000), startedAt: undefined, readyFor: undefined } as const; // prettier-ignore
    const [uid, rendered] = [uidOf('chat/a'), 'hash'];
    const render: NonNullable<WorldSketch['render']> = (settings) => ({ ok: true, template: { rendered, settings } });
    const note = {
      failure,
      rendered,
      count: 2,
      firstAt: failure.at,
      counted: ['p1', 'p2'].map(replicaId),
      until: instant(110_000),
    };
    const failures = (more: object = {}): NonNullable<WorldSketch['failures']> =>
      new Map([[uid, { ...note, ...more }]]);
    const pods = ['p1', 'p2'].map((id) => podOf('chat/a', stopping({ kind: 'failed' }), id));
    const status = statusOf([chat], { render, failures: failures(), replicas: pods });
    const told = { reason: 'OOMKilled', rendered, inARow: 2, waitSeconds: 20, podUids: ['p1', 'p2'] };
    assert.deepEqual(presetOf(status)?.lastFailure, told);
    const seen = (sketch: WorldSketch): PresetStatus | undefined =>
      presetOf(statusOf([withStatus(chat, status)], sketch));
    const elsewhere = pods.map((pod) => ({ ...pod, id: replicaId('p1') }));
    assert.deepEqual(seen({ render, failures: failures(), replicas: elsewhere })?.lastFailure, told);
    const third = failures({ count: 3, counted: ['p1', 'p3'].map(replicaId) });
    const [, , ...others] = pods;
    const now = [...others, podOf('chat/a', stopping({ kind: 'failed' }), 'p3')];
    assert.deepEqual(seen({ render, failures: third, replicas: now })?.lastFailure?.podUids, ['p3']);
    assert.equal(
      seen({ render, failures: failures({ until: instant(100_000) }) })?.lastFailure?.waitSeconds,
      undefined,
    );
    assert.equal(seen({ render, failures: failures({ rendered: 'another' }) })?.lastFailure, undefined);
  });

  it('why it is refused whatever is left of it, or which of its names belong to others', () => {
    const replicas = [podOf('chat/a', draining({ kind: 'removed' }))];
    assert.match(say({ replicas, pools: [] }), /^Draining PoolNotFound: the ModelPool "default"/u);
    const other = declared('other', [declaredPreset('b')], { createdAt: '2025-01-01T00:00:00Z' });
    assert.equal(say({}, [chat, other]), 'Unloaded : ', 'the first is the older one');
    const { deployments, names } = situationsOf(clusterWorld([chat, other]));
    const status = deployments.map((one) => renderStatus(one, momentAt(0), (uid) => names.get(uid)))[1];
    assert.equal(presetOf(status ?? {})?.message, 'the name "b" belongs to ml/other');
    assert.deepEqual(presetOf(status ?? {})?.names, ['a']);
  });
});

test('a model that nobody has used has no time of its last use, and a name that belongs to another is not listed', () => {
  const rival = declared('chat', [declaredPreset('a'), declaredPreset('c')], { createdAt: '2027-01-01T00:00:00Z' });
  const other = declared('any', [declaredPreset('c')]);
  const replicas = [podOf('chat/a', ready(40_000))];
  const sketch = { replicas, idleSince: { 'chat/a': 10_000 }, neverUsed: ['chat/a'] };
  const { deployments, names } = situationsOf(clusterWorld([rival, other], sketch));
  const situation = deployments.find(({ deployment }) => deployment.ref.name === 'chat');
  assert.ok(situation !== undefined);
  const status = renderStatus(situation, momentAt(100), (uid) => names.get(uid));
  assert.equal(presetOf(status)?.lastUsedTime, undefined);
  assert.equal(status.models, 'a');
});

describe('the conditions', () => {
  const conditions = (sketch: WorldSketch, object = chat): string[] => conditionsOf(statusOf([object], sketch));

  it('name the first reason, and everything that is wrong', () => {
    const mixed = declared('chat', [
      declaredPreset('a', { args: ['--ctx-size'] }),
      declaredPreset('c', { engine: {} }),
    ]);
    const status = statusOf([mixed]);
    assert.deepEqual(conditionsOf(status), [
      'Accepted=False NoPresetAccepted',
      'PresetsAccepted=False InvalidArguments',
      'Ready=False InvalidArguments',
    ]);
    assert.match(String(status.conditions?.[1]?.message), /^a: --ctx-size: .*; c: engine\.image is missing/u);
    const half = declared('chat', [declaredPreset('a'), declaredPreset('c', { engine: {} })]);
    assert.deepEqual(conditions({}, half), [
      'Accepted=True Accepted',
      'PresetsAccepted=False InvalidPod',
      'Ready=True PartlyAccepted',
    ]);
  });

  it('say in Ready, which kubectl get shows, also what is not accepted, the same of several presets once', () => {
    const complaint = /^a, c: the ModelPool "default" does not exist: [^;]*$/u;
    const [, presets, ready] = statusOf([chat], { pools: [] }).conditions ?? [];
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'PoolNotFound']);
    for (const condition of [presets, ready]) assert.match(String(condition?.message), complaint);
    const half = declared('chat', [declaredPreset('a'), declaredPreset('c', { engine: {} })]);
    assert.match(String(statusOf([half]).conditions?.[2]?.message), /asked for; not accepted: c: engine\.image/u);
  });

  it('are all false for a spec that cannot be read, and no preset is listed', () => {
    const status = statusOf([declared('chat', [{ name: 'a' }])]);
    assert.deepEqual(conditionsOf(status), [
      'Accepted=False InvalidSpec',
      'PresetsAccepted=False InvalidSpec',
      'Ready=False InvalidSpec',
    ]);
    assert.deepEqual([status.presets, status.models, status.loaded], [[], '', '0/0']);
  });

  it('are not ready while the pool is paused or no edge is alive', () => {
    const pools = [declaredPool('default', { paused: true })];
    assert.equal(conditions({ pools })[2], 'Ready=False PoolPaused');
    assert.equal(conditions({ edges: 0 })[2], 'Ready=False NoEdge');
  });

  it('keep their transition time while their status is the same, also if the reason changes', () => {
    const first = statusOf([chat], { edges: 0 }, 10);
    const pools = [declaredPool('default', { paused: true })];
    const second = statusOf([withStatus(chat, first)], { pools }, 20);
    assert.equal(second.conditions?.[2]?.reason, 'PoolPaused');
    assert.equal(second.conditions[2].lastTransitionTime, '2026-01-01T00:00:10Z');
    const third = statusOf([withStatus(chat, second)], {}, 30);
    assert.equal(third.conditions?.[2]?.lastTransitionTime, '2026-01-01T00:00:30Z');
    assert.equal(third.conditions[0]?.lastTransitionTime, '2026-01-01T00:00:10Z');
  });
});

describe('the status of a pool', () => {
  const second = declared('code', [declaredPreset('d')]);
  const sketch = {
    replicas: [
      podOf('chat/a', ready()),
      podOf('chat/c', ready()),
      podOf('code/d', stopping({ kind: 'idle' })),
      podOf('gone/x', draining({ kind: 'removed' })),
      podOf('gone/y', failed),
    ],
    idleSince: { 'chat/a': 50, 'chat/c': 20 },
    standings: {
      'code/d': { waitsFor: { reason: 'WaitingForCapacity', because: 'room', position: 1 } },
      'chat/c': { waitsFor: { reason: 'AutoloadOff', because: 'an order' } },
    },
  } as const;
  const poolStatus = (pool: ClusterObject, more: WorldSketch, isLruDue = false, seconds = 0): ModelPoolStatus => {
    const [situation] = situationsOf(clusterWorld([chat, second], { ...more, pools: [pool] })).pools;
    assert.ok(situation !== undefined);
    const status = renderPoolStatus(situation, momentAt(seconds), isLruDue);
    return status === situation.pool.status ? status : (JSON.parse(JSON.stringify(status)) as ModelPoolStatus);
  };

  it('counts what holds capacity and what waits, and lists the idle, the longest idle first', () => {
    const { conditions, ...rest } = poolStatus(declaredPool('default', { capacity: { maxLoaded: 4 } }), sketch);
    assert.deepEqual(rest, {
      observedGeneration: 1,
      loaded: 4,
      capacity: '4 models',
      waiting: 1,
      queue: ['code-uid/d'],
      lru: ['chat-uid/c', 'chat-uid/a'],
    });
    assert.deepEqual(
      conditions?.map(({ type, status }) => [type, status]),
      [['Accepted', 'True']],
    );
    assert.equal(poolStatus(declaredPool('default', { paused: 1 }), {}).conditions?.[0]?.reason, 'InvalidSpec');
  });

  it('has those that wait for room by their places, as far as the list goes', () => {
    const waitsFor = (position: number): object => ({
      waitsFor: { reason: 'WaitingForCapacity', because: 'room', position },
    });
    const many = Array.from({ length: 10 }, (_, n) =>
      declared(
        `many-${n}`,
        Array.from({ length: 30 }, (__, m) => declaredPreset(`p-${n}-${m}`)),
      ),
    );
    const uids = many.flatMap((_, n) => Array.from({ length: 30 }, (__, m) => `many-${n}/p-${n}-${m}`));
    // The last one declared is the next one.
    const standings = Object.fromEntries(uids.map((preset, index) => [preset, waitsFor(300 - index)]));
    const [situation] = situationsOf(clusterWorld(many, { standings })).pools;
    assert.ok(situation !== undefined);
    const status = renderPoolStatus(situation, momentAt(0), false);
    assert.deepEqual([status.waiting, status.queue?.length], [300, 256]);
    assert.deepEqual(status.queue?.slice(0, 2), ['many-9-uid/p-9-29', 'many-9-uid/p-9-28']);
  });

  it('tells how much of each resource is taken, also by what leaves and by what nobody declares any more', () => {
    const GI = 2 ** 30 * 1000;
    const capacity = { maxLoaded: 1, resources: { vram: '24Gi', 'example.com/gpu': 2 } };
    const taking = (preset: string, state: Replica['state'], gigabytes: number): Replica => ({
      ...podOf(preset, state, `${preset}-${gigabytes}`),
      footprint: new Map([['vram', gigabytes * GI]]),
    });
    const replicas = [
      taking('chat/a', ready(), 8),
      taking('chat/a', stopping({ kind: 'idle' }), 4.5),
      taking('gone/x', draining({ kind: 'removed' }), 1),
      taking('gone/y', failed, 16),
    ];
    const told = (spec: object, more: WorldSketch = {}): unknown =>
      poolStatus(declaredPool('default', spec), more).capacity;
    assert.equal(told({ capacity }, { replicas }), '1 model, example.com/gpu 0 of 2, vram 13.5Gi of 24Gi');
    assert.equal(told({}, { replicas }), 'no limit');
    assert.equal(told({ capacity, paused: true }), 'paused');
  });

  it('keeps the order of use that is written while nobody knows whether a loaded model is in use', () => {
    const known = poolStatus(declaredPool(), sketch);
    const later = { ...sketch, unknown: ['chat/a'], idleSince: { 'chat/c': 90 } };
    const [first, second] = [poolStatus(declaredPool(), later, true), declaredPool('default', {}, { status: known })];
    assert.deepEqual(first.lru, [], 'there is none yet');
    assert.deepEqual(poolStatus(second, later, true), second['status']);
    assert.deepEqual(poolStatus(second, { ...later, unknown: [] }, true).lru, ['chat-uid/c']);
  });

  it('is written anew for another order of use only where that is due', () => {
    const first = poolStatus(declaredPool(), sketch);
    const pool = declaredPool('default', {}, { status: first });
    const later = { ...sketch, idleSince: { 'chat/a': 50, 'chat/c': 90 } };
    assert.deepEqual(poolStatus(pool, later, false, 9), first);
    assert.deepEqual(poolStatus(pool, later, true, 9).lru, ['chat-uid/a', 'chat-uid/c']);
  });
});

describe('a ModelDeployment about which nothing has changed', () => {
  const calm = { idleSince: { 'chat/a': 1, 'chat/c': 1, 'other/d': 1 }, edges: 1 };
  const objects = [chat, declared('other', [declaredPreset('d')])];
  const world = clusterWorld(objects, calm);
  /** Which of the two are the very same value when this has changed. */
  const kept = (changed: Partial<World>, from: World = world): boolean[] => {
    const before = situationsOf(from);
    const after = situationsOf({ ...world, ...changed }, before);
    return after.deployments.map((one, index) => one === before.deployments[index]);
  };

  it('is the very same value', () => {
    assert.deepEqual(kept({}), [true, true]);
    assert.deepEqual(kept({ replicas: [podOf('chat/a', starting)] }), [false, true]);
  });

  it('is another where it was used, where its pool is paused, and where there are more edges or none', () => {
    const { activity, lastUse } = clusterWorld(objects, { idleSince: { ...calm.idleSince, 'other/d': 2 } });
    assert.deepEqual(kept({ activity, lastUse }), [true, false]);
    const pools = [decodePool(declaredPool('default', { paused: true }))];
    assert.deepEqual(kept({ acceptance: { ...world.acceptance, pools } }), [false, false]);
    assert.deepEqual(kept({ edges: 2 }), [false, false]);
  });

  it('is another where something else was decided about it, and where another state of it was read', () => {
    const { acceptance } = world;
    const decided = (change: (of: DeploymentVerdict<unknown>) => DeploymentVerdict<unknown>): boolean[] =>
      kept({ acceptance: { ...acceptance, verdicts: acceptance.verdicts.map((one, at) => (at === 1 ? change(one) : one)) } }); // prettier-ignore
    assert.deepEqual(decided((of) => ({ ...of })), [true, true], 'the same'); // prettier-ignore
    assert.deepEqual(decided((of) => ({ ...of, presets: of.presets.map((preset) => ({ ...preset })) })), [true, false]); // prettier-ignore
    assert.deepEqual(decided((of) => ({ ...of, deployment: { ...of.deployment, generation: 2 } })), [true, false]); // prettier-ignore
  });

  it('is another where it has failed', () => {
    const backOff = { reason: 'x', logTail: [], failures: 1, exitCode: 1, retryAt: instant(200_000) };
    const { views } = clusterWorld(objects, { ...calm, standings: { 'other/d': { backOff } } });
    assert.deepEqual(kept({ views }), [true, false]);
    const [rendered = ''] = world.views.slice(-1).map(({ preset }) => preset.rendered);
    const note = { failure: A_FAILURE, rendered, count: 1, firstAt: A_FAILURE.at, until: instant(1), counted: [] };
    const failures = new Map([[uidOf('other/d'), note]]);
    assert.deepEqual(kept({ failures }), [true, false], 'it may be tried again, and its status still tells of it');
    assert.deepEqual(kept({}, { ...world, failures }), [true, false]);
  });
});

describe('any world', () => {
  const text = fc.string({ unit: 'binary', maxLength: 1200 });
  const state = fc.constantFrom(
    starting,
    ready(1000),
    draining({ kind: 'idle' }),
    draining({ kind: 'evicted', beneficiary: uidOf('chat/c') }),
    stopping({ kind: 'failed' }),
  );
  const replicas: fc.Arbitrary<Replica[]> = fc
    .array(fc.tuple(fc.constantFrom('chat/a', 'chat/c'), state), { maxLength: 4 })
    .map((all) => all.map(([preset, one], index) => podOf(preset, one, `pod-${index}`)));
  const sketch: fc.Arbitrary<WorldSketch> = fc.record({
    replicas,
    edges: fc.nat(1),
    idleSince: fc.constantFrom({}, { 'chat/a': 500 }),
    pools: fc.constantFrom([], [declaredPool()], [declaredPool('default', { paused: true })]),
    standings: fc
      .option(
        fc.record({
          reason: text,
          logTail: fc.array(text, { maxLength: 3 }),
          failures: fc.integer({ min: 1, max: 9 }),
        }),
      )
      .map((failure) =>
        failure === null ? {} : { 'chat/a': { backOff: { ...failure, exitCode: 1, retryAt: instant(200_000) } } },
      ),
  });

  it('has a status that the schema takes, and that is not written again while nothing but time changes', () => {
    fc.assert(
      fc.property(sketch, fc.integer({ min: 1, max: 900 }), (one, ms) => {
        const status = statusOf([chat], one);
        assert.deepEqual(checkObject(status, ModelDeploymentStatusSchema), []);
        const { deployments, names } = situationsOf(clusterWorld([withStatus(chat, status)], one));
        const [situation] = deployments;
        assert.ok(situation !== undefined);
        const again = renderStatus(situation, momentAt(100 + ms / 1000), (uid) => names.get(uid));
        assert.equal(again, situation.deployment.status, 'the very same');
      }),
      { numRuns: 100 },
    );
  });

  it('is told the same whether or not another one was told before', () => {
    const other = declared('other', [declaredPreset('d')]);
    fc.assert(
      fc.property(sketch, sketch, (one, two) => {
        const first = clusterWorld([chat, other], one);
        const second = {
          ...clusterWorld([chat, other], { ...two, pools: one.pools ?? [] }),
          acceptance: first.acceptance,
        };
        const [anew, shared] = [situationsOf(second), situationsOf(second, situationsOf(first))];
        assert.deepEqual(shared, anew);
      }),
      { numRuns: 300 },
    );
  });

  it('has a status of its pools that the schema takes', () => {
    fc.assert(
      fc.property(sketch, (one) => {
        for (const situation of situationsOf(clusterWorld([chat], one)).pools) {
          const status = renderPoolStatus(situation, momentAt(1), true);
          assert.deepEqual(checkObject(JSON.parse(JSON.stringify(status)), ModelPoolStatusSchema), []);
        }
      }),
      { numRuns: 100 },
    );
  });
});
