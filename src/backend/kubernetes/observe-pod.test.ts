import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATION, LABEL } from '../../api/cluster/pod-marks.ts';
import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import { CONTROLLER_NAME } from '../../api/model-pool-schema.ts';
import type { ReplicaState } from '../../domain/replica.ts';
import { instant, minutes, seconds, type Duration, type Instant } from '../../domain/units.ts';
import { failedStatus, runningStatus } from '../../testing/fake-kubelet.ts';
import { aPodSettings, anIdentity, templateOf } from '../../testing/pod-settings.ts';
import { deadlineOf, observePod } from './observe-pod.ts';
import { noteLook, type PodHistory } from './pod-history.ts';
import { renderPod } from './render-pod-template.ts';

const LIMITS = { unschedulableAfter: seconds(5), provisionTimeout: minutes(30), loadTimeout: minutes(10) };

interface Look {
  readonly status?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deleted?: boolean;
}

const RENDERED = renderPod(templateOf(aPodSettings()), anIdentity({ slot: 0, prefix: '/corral-1' }));

function view({ status = {}, annotations = {}, deleted = false }: Look): PodView {
  const metadata = {
    ...RENDERED.metadata,
    labels: RENDERED.metadata['labels'] as Record<string, string>,
    uid: 'pod-1',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
    annotations: { ...(RENDERED.metadata['annotations'] as Record<string, string>), ...annotations },
    ownerReferences: RENDERED.metadata['ownerReferences'] as { apiVersion: string; kind: string; uid: string }[],
    ...(deleted ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
  };
  const found = viewPod({ ...RENDERED, metadata, status });
  assert.ok(found !== undefined);
  return found;
}

/** What a pod is at `now`, having looked so at these times; the last look is the pod. */
function observe(
  looks: readonly (readonly [at: number, look: Look])[],
  now?: number,
  { nodeWords, lastLoad }: { readonly nodeWords?: string; readonly lastLoad?: Duration } = {},
): ReplicaState {
  const { pod, history, at } = lookAt(looks);
  return observePod(pod, history, LIMITS, { now: instant(now ?? at), nodeWords, lastLoad: () => lastLoad });
}

function lookAt(looks: readonly (readonly [at: number, look: Look])[]): {
  pod: PodView;
  history: PodHistory;
  at: Instant;
} {
  let history: PodHistory | undefined;
  let last = { pod: view({}), at: instant(0) };
  for (const [at, look] of looks) {
    last = { pod: view(look), at: instant(at) };
    history = noteLook(history, last.pod, last.at);
  }
  assert.ok(history !== undefined);
  return { ...last, history };
}

const closed = (cause: string, beneficiary?: string): NonNullable<Look['annotations']> => ({
  [ANNOTATION.gate]: 'closed/3',
  [ANNOTATION.drainCause]: cause,
  ...(beneficiary === undefined ? {} : { [ANNOTATION.drainFor]: beneficiary }),
});

const RUNNING = { status: runningStatus(false) };
const READY = { status: runningStatus(true) };

/** A look at a pod that is ready since this time of the day on which it was made. */
const readySince = (time: string): Look => ({
  status: {
    ...runningStatus(true),
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: `2026-01-01T${time}Z` }],
  },
});

/** How long a pod took to load that looks so, one after the other, and where a status says so. */
function loadTime(looks: readonly Look[], lastLoad?: Duration): number | undefined {
  const numbered = looks.map((look, at) => [at, look] as const);
  const state = observe(numbered, undefined, lastLoad === undefined ? {} : { lastLoad });
  assert.ok(state.kind === 'ready');
  return state.loadTime;
}

const waiting = (reason: string, message = ''): Look => ({
  status: { phase: 'Pending', containerStatuses: [{ name: 'llama-server', state: { waiting: { reason, message } } }] },
});

const condition = (type: string, status: 'True' | 'False', more: object = {}): object => ({ type, status, ...more });

/** A pod of which its node said that it is ready, before it was heard of no more. */
const LOST: Look = {
  status: { ...runningStatus(false), conditions: [condition('Ready', 'False'), condition('ContainersReady', 'True')] },
};

const unschedulable = (message: string): Look => ({
  status: {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
  },
});

describe('a pod', () => {
  it('is starting until it is ready, and then ready since it was first seen so, at its address behind its prefix', () => {
    assert.deepEqual(
      observe([
        [1, {}],
        [2, RUNNING],
      ]),
      { kind: 'starting', since: 1 },
    );
    const ready = { kind: 'ready', since: 3, loadTime: 4_000 };
    const endpoint = { origin: 'http://192.0.2.7:8080', prefix: '/corral-1' };
    assert.deepEqual(
      observe([
        [1, {}],
        [2, RUNNING],
        [3, READY],
        [4, READY],
      ]),
      { ...ready, endpoint },
    );
    const sixth = { status: { ...runningStatus(true), podIP: 'fd00::1' } };
    assert.deepEqual(observe([[3, sixth]]), { ...ready, endpoint: { ...endpoint, origin: 'http://[fd00::1]:8080' } });
  });
  it('is starting again when it is not ready any more', () => {
    assert.equal(
      observe([
        [1, READY],
        [2, RUNNING],
      ]).kind,
      'starting',
    );
    const back = observe([
      [1, READY],
      [2, RUNNING],
      [9, READY],
    ]);
    assert.ok(back.kind === 'ready' && back.since === instant(1), 'resident since it was ready first');
  });
  it('took as long to load as a status says, where nobody has seen it come', () => {
    // It was not ready for a moment 20 minutes, or six hours, after it was made.
    const [again, long] = [readySince('00:20:00'), readySince('06:00:00')];
    assert.equal(loadTime([again], seconds(4)), 4_000);
    assert.equal(loadTime([long], seconds(4)), 4_000);
    assert.equal(loadTime([RUNNING, again], seconds(4)), minutes(20), 'it was seen to come');
    assert.equal(loadTime([again]), minutes(20), 'for all that is known');
    assert.equal(loadTime([READY, again], seconds(5)), 5_000);
  });
  it('took as long to load as nobody knows, where that is more than its limits allow', () => {
    assert.equal(loadTime([readySince('00:40:00')]), minutes(40));
    assert.equal(loadTime([readySince('00:40:01')]), undefined);
    assert.equal(loadTime([RUNNING, readySince('06:00:00')]), undefined, 'also where it was seen to come back');
    assert.equal(loadTime([READY], minutes(41)), undefined, 'also where a status says so');
  });
  it('drains while its gate is closed, or cannot be read', () => {
    const cause = { kind: 'evicted', beneficiary: 'u/b' };
    const drain = { kind: 'draining', since: 2, cause };
    const annotations = closed('evicted', 'u/b');
    assert.deepEqual(
      observe([
        [1, READY],
        [2, { ...READY, annotations }],
        [3, { ...READY, annotations }],
      ]),
      drain,
    );
    for (const gate of ['', 'open', 'open/-1', 'open/01', 'half/3']) {
      const state = observe([[1, { ...READY, annotations: { [ANNOTATION.gate]: gate } }]]);
      assert.deepEqual(state, { kind: 'draining', since: 1, cause: { kind: 'ordered' } }, gate);
    }
  });
  it('is stopping when it was deleted: for the cause of its drain, or else by somebody else', () => {
    const since = { kind: 'stopping', since: 5 };
    const idle = observe([
      [5, { ...READY, deleted: true, annotations: closed('idle') }],
      [9, { deleted: true, annotations: closed('idle') }],
    ]);
    assert.deepEqual(idle, { ...since, cause: { kind: 'idle' } });
    assert.deepEqual(
      observe([
        [1, READY],
        [5, { ...READY, deleted: true }],
      ]),
      { ...since, cause: { kind: 'deleted' } },
    );
  });
  it('that somebody else has deleted says what for, where Kubernetes does, and where its node is lost', () => {
    const causeOf = (look: Look): unknown => {
      const state = observe([
        [1, READY],
        [2, { ...look, deleted: true }],
      ]);
      return state.kind === 'stopping' ? state.cause : state.kind;
    };
    const message = 'Eviction API: evicting';
    const disrupted = condition('DisruptionTarget', 'True', { reason: 'EvictionByEvictionAPI', message });
    assert.deepEqual(causeOf({ status: { ...runningStatus(true), conditions: [disrupted] } }), {
      kind: 'deleted',
      words: message,
    });
    assert.deepEqual(causeOf(LOST), { kind: 'nodeLost' });
    assert.deepEqual(causeOf({ ...LOST, annotations: closed('idle') }), { kind: 'idle' }, 'it was Corral');
  });
  it('has failed when it was deleted since its node is no more, unless it was being deleted before', () => {
    const conditions = [condition('DisruptionTarget', 'True', { reason: 'DeletionByPodGC', message: 'no node' })];
    const failed = { status: { ...runningStatus(true), phase: 'Failed', conditions } };
    const collected: Look = { ...failed, deleted: true };
    const kindsOf = (...looks: Look[]): string => observe([READY, ...looks].map((look, at) => [at, look])).kind;
    assert.deepEqual([kindsOf(failed, collected), kindsOf(collected)], ['failed', 'failed']);
    assert.equal(kindsOf({ ...READY, deleted: true }, collected), 'stopping');
  });
  it('has no endpoint any more when it was deleted, however ready it is', () => {
    assert.notEqual(view(READY).endpoint, undefined);
    assert.equal(view({ ...READY, deleted: true }).endpoint, undefined);
  });
  it('that was deleted holds what it holds until its object is gone, also when its containers have ended', () => {
    for (const look of [{ status: failedStatus(143, '') }, waiting('ImagePullBackOff')]) {
      const looks = [
        [1, READY],
        [2, { ...look, deleted: true }],
      ] as const;
      assert.equal(observe(looks).kind, 'stopping');
    }
  });
  it('holds what it holds when its status is not understood', () => {
    for (const status of [undefined, null, 7, { phase: 7 }, { containerStatuses: 'x' }]) {
      assert.deepEqual(observe([[1, { status }]]), { kind: 'starting', since: 1 });
    }
  });
});

describe('a failed pod', () => {
  const failure = (looks: readonly (readonly [number, Look])[], now?: number): unknown => {
    const state = observe(looks, now);
    assert.ok(state.kind === 'failed');
    const { code, reason, exitCode, logTail, at, readyFor } = state.failure;
    return [code, reason, exitCode, logTail, at, readyFor];
  };
  it('whose server has ended tells how, when, its last words, and how long it had been ready', () => {
    const log = `${Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\n')}\n\n`;
    const tail = Array.from({ length: 12 }, (_, line) => `line ${line + 8}`);
    const crashed = { status: failedStatus(139, log) };
    assert.deepEqual(
      failure(
        [
          [1, READY],
          [5, crashed],
          [9, crashed],
        ],
        99,
      ),
      ['Crashed', 'llama-server exited with code 139 while it served', 139, tail, 5, 4],
    );
    assert.deepEqual(
      failure([
        [1, RUNNING],
        [5, { status: failedStatus(1, 'no GGUF') }],
      ]),
      ['CrashedOnLoad', 'llama-server exited with code 1 while it loaded the model', 1, ['no GGUF'], 5, undefined],
    );
  });
  for (const [what, look, code, reason] of [
    ['has too little memory', { status: failedStatus(137, '', 'OOMKilled') }, 'OOMKilled', /no more memory/u],
    [
      'has no program to start',
      { status: failedStatus(128, 'exec: not found', 'StartError') },
      'ContainerConfig',
      /exec: not found$/u,
    ],
    [
      'has ended well',
      { status: { ...failedStatus(0, '', 'Completed'), phase: 'Succeeded' } },
      'CrashedOnLoad',
      /code 0/u,
    ],
    [
      'has no image',
      waiting('ErrImagePull', 'no such image'),
      'ImagePull',
      /llama-server.*ErrImagePull\): no such image$/u,
    ],
    ['has no image for long', waiting('ImagePullBackOff', 'Back-off'), 'ImagePull', /Back-off$/u],
    ['has an image of no name', waiting('InvalidImageName'), 'ImagePull', /InvalidImageName\)$/u],
    [
      'misses a Secret',
      waiting('CreateContainerConfigError', 'secret "hf" not found'),
      'ContainerConfig',
      /secret "hf" not found$/u,
    ],
    [
      'wants an image mounted by a container runtime that mounts none',
      waiting('CreateContainerError', 'failed to generate spec: failed to mkdir "": mkdir : no such file or directory'),
      'ContainerConfig',
      /no such file or directory; the node mounts no images; fix: .*containerd 2\.1/u,
    ],
    [
      'has a folder that its node cannot make',
      waiting('CreateContainerError', 'failed to mkdir "/data": mkdir /data: read-only file system'),
      'ContainerConfig',
      /read-only file system$/u,
    ],
    [
      'was thrown out by its node',
      { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } },
      'EndedByNode',
      /\(Evicted\): low on memory$/u,
    ],
    [
      'is gone with its node',
      {
        status: {
          ...runningStatus(false),
          phase: 'Failed',
          conditions: [condition('DisruptionTarget', 'True', { reason: 'DeletionByPodGC', message: 'no node' })],
        },
      },
      'NodeLost',
      /its node is gone: no node$/u,
    ],
    [
      'has a download that fails',
      {
        status: {
          phase: 'Failed',
          initContainerStatuses: [
            {
              name: 'corral-fetch-model',
              state: { terminated: { exitCode: 1, message: 'x\ncurl: (22) error: 404\n' } },
            },
          ],
        },
      },
      'DownloadFailed',
      /a file of the model could not be downloaded: curl: \(22\) error: 404$/u,
    ],
    [
      'has a download that fails without a word',
      {
        status: {
          phase: 'Failed',
          initContainerStatuses: [
            { name: 'corral-fetch-model', state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
          ],
        },
      },
      'DownloadFailed',
      /a file of the model could not be downloaded: OOMKilled$/u,
    ],
    [
      'has a download that fails, and a sidecar that was ended for that',
      {
        status: {
          phase: 'Failed',
          initContainerStatuses: [
            { name: 'proxy', state: { terminated: { exitCode: 143, reason: 'Error' } } },
            { name: 'corral-fetch-model', state: { terminated: { exitCode: 22, message: 'error: 404' } } },
          ],
        },
      },
      'DownloadFailed',
      /a file of the model could not be downloaded: error: 404$/u,
    ],
    [
      'has an init container that fails, and downloads that were never begun or are done',
      {
        status: {
          phase: 'Failed',
          initContainerStatuses: [
            { name: 'prepare', state: { terminated: { exitCode: 6 } } },
            { name: 'corral-fetch-done', state: { terminated: { exitCode: 0 } } },
            { name: 'corral-fetch-model', state: { waiting: { reason: 'PodInitializing' } } },
          ],
        },
      },
      'InitFailed',
      /container prepare exited with code 6 before/u,
    ],
    [
      'has an init container that fails',
      {
        status: {
          phase: 'Failed',
          initContainerStatuses: [{ name: 'fetch', state: { terminated: { exitCode: 6, message: 'no host' } } }],
          containerStatuses: [{ name: 'llama-server', state: { waiting: { reason: 'PodInitializing' } } }],
        },
      },
      'InitFailed',
      /container fetch exited with code 6 before/u,
    ],
  ] as const) {
    it(`that ${what} says so: ${code}`, () => {
      const state = observe([
        [1, {}],
        [2, look],
      ]);
      assert.ok(state.kind === 'failed');
      assert.equal(state.failure.code, code);
      assert.match(state.failure.reason, reason);
    });
  }
  it('waits for its container without having failed', () => {
    for (const reason of ['ContainerCreating', 'PodInitializing', '']) {
      assert.equal(observe([[1, waiting(reason)]]).kind, 'starting', reason);
    }
  });
  it('whose node has not read its Secret or ConfigMap yet waits: nobody knows yet that one is missing', () => {
    for (const what of ['secret', 'configmap']) {
      const message = `failed to sync ${what} cache: timed out waiting for the condition`;
      assert.equal(observe([[1, waiting('CreateContainerConfigError', message)]]).kind, 'starting', what);
    }
  });
});

describe('what troubles a pod that starts', () => {
  const troubleOf = (looks: readonly (readonly [number, Look])[], now?: number, nodeWords?: string): unknown => {
    const state = observe(looks, now, nodeWords === undefined ? {} : { nodeWords });
    return state.kind === 'starting' ? state.trouble : state.kind;
  };
  const scheduled = (containers: object): Look => ({
    status: { phase: 'Pending', conditions: [condition('PodScheduled', 'True')], ...containers },
  });
  const creating = {
    containerStatuses: [{ name: 'llama-server', state: { waiting: { reason: 'ContainerCreating' } } }],
  };

  it('is that no node takes it, once that has lasted for a moment', () => {
    const words = '0/1 nodes are available: 1 Insufficient memory.';
    const looks = [[10, unschedulable(words)]] as const;
    assert.equal(troubleOf(looks, 2_009), undefined);
    assert.deepEqual(troubleOf(looks, 2_010), { code: 'Unschedulable', words: `no node takes the pod: ${words}` });
    const claim = [[10, unschedulable('persistentvolumeclaim "models" not found.')]] as const;
    assert.deepEqual(troubleOf(claim, 2_010), {
      code: 'NoNode',
      words: 'no node takes the pod: persistentvolumeclaim "models" not found.',
    });
    assert.equal(troubleOf([...looks, [20, scheduled(creating)]], 9_000), undefined, 'it has found a node');
  });
  it('is what its node says while none of its containers has begun', () => {
    const words = 'FailedMount: secret "missing" not found';
    assert.deepEqual(troubleOf([[1, scheduled(creating)]], 1, words), { code: 'NotStarting', words });
    assert.equal(troubleOf([[1, scheduled(creating)]]), undefined);
    assert.equal(troubleOf([[1, RUNNING]], 1, words), undefined, 'llama-server runs');
    assert.equal(troubleOf([[1, READY]], 1, words), 'ready');
  });
  it('is a kubelet that mounts no images: what it says does not tell', () => {
    const wordsOn = (volume: string): string =>
      `FailedMount: failed to get Plugin from volumeSpec for volume "${volume}" err=no volume plugin matched`;
    const ours = wordsOn('corral-model');
    const fix = 'the feature gate ImageVolume of its kubelet, and containerd 2.1, CRI-O 1.31 or newer there';
    const words = `${ours}; the node mounts no images; fix: ${fix}`;
    assert.deepEqual(troubleOf([[1, scheduled(creating)]], 1, ours), { code: 'NotStarting', words });
    const disk = wordsOn('pv-of-a-removed-driver');
    assert.deepEqual(troubleOf([[1, scheduled(creating)]], 1, disk), { code: 'NotStarting', words: disk });
  });
  it('is part of the reason when the provision timeout ends', () => {
    const state = observe([[1, scheduled(creating)]], 1 + 30 * 60_000, { nodeWords: 'FailedMount: no disk' });
    assert.ok(state.kind === 'failed');
    assert.equal(state.failure.code, 'ProvisionTimeout');
    assert.match(state.failure.reason, /provision timeout of 1800 s: FailedMount: no disk$/u);
  });
  it('is a sidecar that ends again and again, while llama-server does not run', () => {
    const sidecar = { name: 'proxy', state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } } };
    const look = scheduled({ initContainerStatuses: [sidecar], ...creating });
    const words = 'the container proxy ends again and again: back-off 10s';
    assert.deepEqual(troubleOf([[1, look]]), { code: 'NotStarting', words });
    const running = { status: { ...runningStatus(false), initContainerStatuses: [sidecar] } };
    assert.equal(troubleOf([[1, running]]), undefined);
  });
  it('is its node, of which nobody hears any more; after the load timeout it has failed of that', () => {
    const looks = [
      [1, READY],
      [9, LOST],
    ] as const;
    assert.deepEqual(troubleOf(looks), { code: 'NodeLost', words: 'its node does not answer' });
    assert.equal(
      troubleOf([
        [1, READY],
        [9, RUNNING],
      ]),
      undefined,
      'its probe fails',
    );
    const state = observe(looks, 9 + 10 * 60_000);
    assert.ok(state.kind === 'failed');
    assert.equal(state.failure.code, 'NodeLost');
    assert.match(state.failure.reason, /within its load timeout of 600 s: its node does not answer$/u);
  });
});

describe('a pod that takes too long', () => {
  const codeAt = (looks: readonly (readonly [number, Look])[], now: number): string => {
    const state = observe(looks, now);
    return state.kind === 'failed' ? state.failure.code : state.kind;
  };
  it('to be scheduled has failed with the scheduler’s words, counted from when it said so', () => {
    const nowhere = unschedulable('0/1 nodes are available: 1 Insufficient example.com/gpu.');
    const looks = [
      [1, {}],
      [10_000, nowhere],
      [11_000, nowhere],
    ] as const;
    assert.equal(codeAt(looks, 14_999), 'starting');
    assert.equal(codeAt(looks, 15_000), 'Unschedulable');
    const state = observe(looks, 99_000);
    assert.ok(state.kind === 'failed');
    assert.equal(state.failure.at, 15_000);
    assert.match(state.failure.reason, /Insufficient example\.com\/gpu/u);
    assert.equal(codeAt([...looks, [12_000, {}]], 99_000), 'starting', 'it has found a node');
  });
  it('to be scheduled would fit if others left, or would not, whoever leaves', () => {
    const codeFor = (words: string): string =>
      codeAt([[1, unschedulable(`0/1 nodes are available: ${words}`)]], 99_000);
    assert.equal(codeFor('1 Insufficient memory, 1 Insufficient cpu.'), 'Unschedulable');
    assert.equal(codeFor('1 Too many pods.'), 'Unschedulable');
    assert.equal(codeFor('persistentvolumeclaim "models" not found.'), 'NoNode');
    assert.equal(codeFor("1 node(s) didn't match Pod's node affinity/selector."), 'NoNode');
  });
  it('to run, or to be ready, has failed at the end of that limit', () => {
    assert.equal(codeAt([[1_000, {}]], 1_000 + 30 * 60_000 - 1), 'starting');
    assert.equal(codeAt([[1_000, {}]], 1_000 + 30 * 60_000), 'ProvisionTimeout');
    const loading = [
      [1_000, {}],
      [5_000, RUNNING],
      [6_000, RUNNING],
    ] as const;
    assert.equal(codeAt(loading, 5_000 + 10 * 60_000 - 1), 'starting');
    assert.equal(codeAt(loading, 5_000 + 10 * 60_000), 'LoadTimeout');
    assert.equal(codeAt([...loading, [7_000, READY]], 99 * 60_000), 'ready');
    assert.equal(codeAt([...loading, [7_000, READY], [8_000, RUNNING]], 8_000 + 10 * 60_000), 'LoadTimeout');
  });
  it('does not fail while it drains, is deleted, or nobody declares it', () => {
    const late = 99 * 60_000;
    assert.equal(codeAt([[1, { annotations: closed('idle') }]], late), 'draining');
    assert.equal(codeAt([[1, { deleted: true }]], late), 'stopping');
    const { pod, history } = lookAt([[1, {}]]);
    assert.equal(
      observePod(pod, history, undefined, { now: instant(late), nodeWords: undefined, lastLoad: () => undefined }).kind,
      'starting',
    );
    assert.equal(deadlineOf(pod, history, undefined), undefined);
    assert.equal(deadlineOf(pod, history, LIMITS), 1 + 30 * 60_000);
  });
});

describe('what is no pod of Corral’s', () => {
  it('is not seen as one: without a controller, or with another kind of it', () => {
    const object = {
      ...RENDERED,
      metadata: { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    };
    const labels = RENDERED.metadata['labels'] as Record<string, string>;
    const owner = { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', uid: 'u', controller: true };
    const withOwner = (changes: object): PodView | undefined =>
      viewPod({ ...object, metadata: { ...object.metadata, labels, ownerReferences: [{ ...owner, ...changes }] } });
    assert.ok(withOwner({}) !== undefined);
    assert.equal(viewPod({ ...object, metadata: { ...object.metadata, labels } }), undefined);
    assert.equal(withOwner({ controller: false }), undefined);
    assert.equal(withOwner({ kind: 'ReplicaSet', apiVersion: 'apps/v1' }), undefined);
    assert.equal(withOwner({ apiVersion: 'airunway.example/v1' }), undefined);
  });
  it('is not seen as one that another install runs; one that does not say whose it is belongs to us', () => {
    const { [LABEL.controller]: ours, ...labels } = RENDERED.metadata['labels'] as Record<string, string>;
    const metadata = { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
    const ownerReferences = [
      { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', uid: 'u', controller: true },
    ];
    const withController = (more: Record<string, string>): PodView | undefined =>
      viewPod({ ...RENDERED, metadata: { ...metadata, labels: { ...labels, ...more }, ownerReferences } });
    assert.equal(`corral.dev/${String(ours)}`, CONTROLLER_NAME);
    assert.ok(withController({ [LABEL.controller]: String(ours) }) !== undefined);
    assert.ok(withController({}) !== undefined);
    assert.equal(withController({ [LABEL.controller]: 'another' }), undefined);
  });
  it('has a load time only if the cluster’s times make sense', () => {
    const before = runningStatus(true);
    const early = {
      ...before,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }],
    };
    for (const [status, loadTime] of [
      [early, 0],
      [{ ...before, conditions: [{ type: 'Ready', status: 'True' }] }, undefined],
    ] as const) {
      const state = observe([[1, { status }]]);
      assert.ok(state.kind === 'ready' && state.loadTime === loadTime);
    }
  });
});
