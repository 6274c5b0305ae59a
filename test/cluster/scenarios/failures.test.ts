import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import type { FailureCode } from '../../../src/domain/replica.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ask, errorOf, startAsking } from '../support/edge-client.ts';
import type { PresetStatus } from '../support/preset-status.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Failing {
  readonly preset: PresetSpec;
  readonly reason: FailureCode;
  /** What the answer and the status say of it. */
  readonly because: RegExp;
}

const model = { path: '/models/a.gguf' };
const SH = ['sh', '-c'];

/** `silent`: an address where somebody listens and never answers. */
const failing = (image: string, silent: string): readonly Failing[] => [
  {
    // Nobody listens there, so that nothing waits for a name server.
    preset: { name: 'wrong-image', source: model, engine: { image: '127.0.0.1:9/none:v1' } },
    reason: 'ImagePull',
    because: /cannot be started \((ErrImagePull|ImagePullBackOff)\).*127\.0\.0\.1:9\/none/su,
  },
  {
    preset: { name: 'missing-claim', source: { persistentVolumeClaim: { claimName: 'missing', path: 'a.gguf' } } },
    reason: 'NoNode',
    because: /persistentvolumeclaim "missing" not found/u,
  },
  {
    preset: {
      ...{ name: 'missing-secret', source: model },
      env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'absent', key: 'token' } } }],
    },
    reason: 'ContainerConfig',
    because: /cannot be started \(CreateContainerConfigError\).*absent/su,
  },
  {
    preset: {
      ...{ name: 'bad-init', source: model },
      pod: { initContainers: [{ name: 'prepare', image, command: [...SH, 'exit 7'] }] },
    },
    reason: 'InitFailed',
    because: /the container prepare exited with code 7 before llama-server could start/u,
  },
  {
    preset: {
      ...{ name: 'slow-init', source: model, scaling: { provisionTimeout: '5s' } },
      pod: { initContainers: [{ name: 'prepare', image, command: [...SH, 'sleep 600'] }] },
    },
    reason: 'ProvisionTimeout',
    because: /was not running within its provision timeout of 5 s/u,
  },
  {
    preset: {
      ...{ name: 'slow-load', source: { huggingFace: { repo: 'a/b' } }, scaling: { loadTimeout: '1s' } },
      env: [{ name: 'MODEL_ENDPOINT', value: silent }],
    },
    reason: 'LoadTimeout',
    because: /was not ready within its load timeout of 1 s/u,
  },
  {
    preset: { name: 'no-model', source: { path: '/models/broken.gguf' } },
    reason: 'CrashedOnLoad',
    because: /exited with code 1 while it loaded the model/u,
  },
  {
    preset: { name: 'no-room', source: model, resources: { limits: { 'example.com/gpu': 99 } } },
    reason: 'Unschedulable',
    because: /no node takes the pod: .*Insufficient example\.com\/gpu/u,
  },
];

/** Asks for a model that cannot be loaded, and compares the answer and the status with what they have to say. */
async function assertReason(scene: Scene, deployment: string, { preset, reason, because }: Failing): Promise<void> {
  const reply = await ask(scene.url, preset.name);
  assert.equal(reply.status, 503, reply.text);
  assert.equal(errorOf(reply).code, 'model_load_failed');
  assert.match(errorOf(reply).message, because);
  const isSo = (status: PresetStatus): boolean => status.reason === reason && because.test(status.message);
  await scene.untilStatus(deployment, [[preset.name, isSo]]);
}

/** Listens at an address that pods reach, and never answers. */
async function startSilence(t: Cleanup, host: string): Promise<string> {
  const server = createServer(() => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://${host}:${address.port}/`;
}

/** What a namespace may not have, and a webhook for pods of one preset that does not answer. */
async function restrict({ t, namespace, corral }: Scene, preset: string): Promise<void> {
  const { api } = corral.cluster;
  const core = `/api/v1/namespaces/${namespace}`;
  await api.call('POST', `${core}/limitranges`, {
    metadata: { name: 'small' },
    spec: { limits: [{ type: 'Container', max: { memory: '8Gi' } }] },
  });
  await api.call('POST', `${core}/resourcequotas`, {
    metadata: { name: 'none' },
    spec: { hard: { 'requests.example.com/gpu': '0' } },
  });
  // Before it is counted, nothing at all is let in.
  await api.until(`${core}/resourcequotas`, 'none', (quota) => JSON.stringify(quota ?? {}).includes('"used"'));
  const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  await api.call('POST', webhooks, {
    metadata: { name: namespace },
    webhooks: [
      {
        ...{ name: 'policy.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', timeoutSeconds: 1 },
        clientConfig: { url: 'https://127.0.0.1:9/' },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        objectSelector: { matchLabels: { 'corral.dev/preset': preset } },
      },
    ],
  });
  t.after(async () => {
    await api.call('DELETE', `${webhooks}/${namespace}`);
  });
  const pod = {
    metadata: { name: 'try', labels: { 'corral.dev/preset': preset } },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  };
  const tryOne = async (): Promise<boolean> =>
    api.call('POST', `${core}/pods?dryRun=All`, pod).then(
      () => false,
      () => true,
    );
  await waitUntil('the webhook is asked', 30, tryOne);
}

describe('a model that cannot be loaded', { timeout: 180_000 }, () => {
  it(
    'has its reason in the answer to who waits for it, and in the status; its pod goes',
    inCluster(async (scene) => {
      await scene.corral.cluster.setCapacity('example.com/gpu', 1);
      const pool = await scene.pool({ capacity: { unschedulableAfter: '1s' } });
      const all = failing(scene.corral.image, await startSilence(scene.t, scene.corral.cluster.hostIp));
      await scene.apply(
        'failing',
        pool,
        all.map(({ preset }) => preset),
      );
      await Promise.all(all.map(async (one) => assertReason(scene, 'failing', one)));
      await scene.pods.until('each has had a pod that is gone', () => {
        const gone = scene.pods.events.filter(({ kind }) => kind === 'gone');
        const presets = gone.map(({ pod }) => pod.metadata.labels?.['corral.dev/preset']);
        return all.every(({ preset }) => presets.includes(preset.name)) ? true : undefined;
      });
    }),
  );

  it(
    'because the API server refuses its pod: the words of the API server',
    inCluster(
      async (scene) => {
        const preset = { name: 'refused', source: model };
        const because = /violates PodSecurity "restricted.*hostPath/u;
        await scene.apply('refused', await scene.pool(), [preset]);
        await assertReason(scene, 'refused', { preset, reason: 'CreateRefused', because });
        assert.deepEqual(scene.pods.events, []);
      },
      { 'pod-security.kubernetes.io/enforce': 'restricted' },
    ),
  );

  it(
    'because of a limit, a quota, or a webhook that does not answer: soon, and it says which',
    inCluster(async (scene) => {
      await restrict(scene, 'hooked');
      const limits = (amounts: object): object => ({ resources: { limits: amounts } });
      const all: readonly Failing[] = [
        {
          preset: { name: 'too-much', source: model, ...limits({ memory: '9Gi' }) },
          reason: 'CreateRefused',
          because: /maximum memory usage per Container is 8Gi, but limit is 9Gi/u,
        },
        {
          preset: { name: 'no-quota', source: model, ...limits({ 'example.com/gpu': 1 }) },
          reason: 'QuotaExceeded',
          because: /exceeded quota: none, requested: requests\.example\.com\/gpu=1/u,
        },
        {
          preset: { name: 'hooked', source: model },
          reason: 'CreateRefused',
          because: /failed calling webhook "policy\.example\.com"/u,
        },
      ];
      await scene.apply(
        'refused',
        await scene.pool(),
        all.map(({ preset }) => preset),
      );
      await Promise.all(all.map(async (one) => assertReason(scene, 'refused', one)));
      assert.deepEqual(scene.pods.events, []);
    }),
  );
});

describe('a model whose node does not get to its containers', { timeout: 180_000 }, () => {
  it(
    'says what the node says of it, and is loaded when that is mended',
    inCluster(async (scene) => {
      // What takes the kubelet's place has no such state.
      if (scene.corral.cluster.node.kind !== 'kubelet') {
        scene.t.skip('there is no real node');
        return;
      }
      const pool = await scene.pool();
      const late = { name: 'late', mountPath: '/late' };
      await scene.apply('stuck', pool, [
        {
          ...{ name: 'stuck', source: model },
          pod: { volumes: [{ name: 'late', secret: { secretName: 'late' } }], volumeMounts: [late] },
        },
      ]);
      const asking = startAsking(scene.url, 'stuck');
      const words = /^FailedMount: .*secret "late" not found/u;
      const object = await scene.untilStatus('stuck', [
        [
          'stuck',
          ({ phase, reason, message }) => phase === 'Loading' && reason === 'NotStarting' && words.test(message),
        ],
      ]);
      assert.match(JSON.stringify(object['status']), /"reason":"NotStarting","status":"False","type":"Ready"/u);
      await scene.corral.cluster.api.call('POST', `/api/v1/namespaces/${scene.namespace}/secrets`, {
        metadata: { name: 'late' },
      });
      assert.equal((await asking.reply).status, 200);
      await scene.untilStatus('stuck', [['stuck', ({ phase, reason }) => phase === 'Ready' && reason === undefined]]);
    }),
  );
});
