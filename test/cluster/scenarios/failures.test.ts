import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, errorOf } from '../support/edge-client.ts';
import { inCluster } from '../support/scene.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';

interface Failing {
  readonly preset: PresetSpec;
  /** What the answer and the status say of it. */
  readonly because: RegExp;
}

const model = { path: '/models/a.gguf' };

const FAILING: readonly Failing[] = [
  {
    // Nobody listens there, so that nothing waits for a name server.
    preset: { name: 'wrong-image', source: model, engine: { image: '127.0.0.1:9/none:v1' } },
    because: /cannot be started \((ErrImagePull|ImagePullBackOff)\).*127\.0\.0\.1:9\/none/su,
  },
  {
    preset: { name: 'missing-claim', source: { persistentVolumeClaim: { claimName: 'missing', path: 'a.gguf' } } },
    because: /persistentvolumeclaim "missing" not found/u,
  },
  {
    preset: { name: 'no-model', source: { path: '/models/broken.gguf' } },
    because: /exited with code 1 while it loaded the model/u,
  },
  {
    // What this version of Kubernetes says unless its feature gate is on.
    preset: { name: 'no-image-volumes', source: { image: { reference: 'example.com/models:1', path: 'a.gguf' } } },
    because: /mounts no images, and has left example\.com\/models:1 out; fix: its feature gate ImageVolume/u,
  },
  {
    preset: { name: 'no-room', source: model, resources: { limits: { 'example.com/gpu': 99 } } },
    because: /no node takes the pod: .*Insufficient example\.com\/gpu/u,
  },
];

/** Asks for a model that cannot be loaded, and compares the answer and the status with what they have to say. */
async function assertReason(scene: Scene, deployment: string, { preset, because }: Failing): Promise<void> {
  const reply = await ask(scene.url, preset.name);
  assert.equal(reply.status, 503, reply.text);
  assert.match(errorOf(reply).message, because);
  await scene.untilStatus(deployment, [[preset.name, ({ message }) => because.test(message)]]);
}

describe('a model that cannot be loaded', { timeout: 180_000 }, () => {
  it(
    'has its reason in the answer to who waits for it, and in the status; its pod goes',
    inCluster(async (scene) => {
      await scene.corral.cluster.setCapacity('example.com/gpu', 1);
      const pool = await scene.pool({ capacity: { unschedulableAfter: '1s' } });
      await scene.apply(
        'failing',
        pool,
        FAILING.map(({ preset }) => preset),
      );
      await Promise.all(FAILING.map(async (failing) => assertReason(scene, 'failing', failing)));
      const failed = ['wrong-image', 'missing-claim', 'no-model', 'no-room'];
      await scene.pods.until('each has had a pod that is gone', () => {
        const gone = scene.pods.events.filter(({ kind }) => kind === 'gone');
        const presets = gone.map(({ pod }) => pod.metadata.labels?.['corral.dev/preset']);
        return failed.every((preset) => presets.includes(preset)) ? true : undefined;
      });
    }),
  );

  it(
    'because the API server refuses its pod: the words of the API server',
    inCluster(
      async (scene) => {
        const because = /violates PodSecurity "restricted.*hostPath/u;
        await scene.apply('refused', await scene.pool(), [{ name: 'refused', source: model }]);
        await assertReason(scene, 'refused', { preset: { name: 'refused', source: model }, because });
        assert.deepEqual(scene.pods.events, []);
      },
      { 'pod-security.kubernetes.io/enforce': 'restricted' },
    ),
  );
});
