import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, contentOf, errorOf } from '../support/edge-client.ts';
import { loadModelImage } from '../support/images/model-image.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

type Source = PresetSpec['source'];

/** The same preset twice: its files are in an image, and in a claim. */
const twice = async (scene: Scene, reference: string): Promise<readonly PresetSpec[]> => {
  const claimName = await scene.claim();
  const inImage = (name: string): Source => ({ image: { reference, path: `models/${name}` } });
  const inClaim = (path: string): Source => ({ persistentVolumeClaim: { claimName, path } });
  return Object.entries({ image: inImage, claim: inClaim }).flatMap(([name, of]) => [
    { name: `${name}-plain`, source: of('a.gguf') },
    { name: `${name}-tuned`, source: of('a.gguf'), files: [{ arg: 'lora', source: of('adapter.gguf') }] },
  ]);
};

describe('a model in an OCI image', { timeout: 180_000 }, () => {
  it(
    'is mounted with its further files, and says what it says from a claim; what is not there is its reason',
    inCluster(async (scene) => {
      // The stand-in for the kubelet mounts no images.
      if (scene.corral.cluster.node.kind !== 'kubelet') {
        scene.t.skip('there is no real node');
        return;
      }
      const reference = await loadModelImage(scene.t, scene.corral.cluster);
      const image = (from: string, path: string): Source => ({ image: { reference: from, path } });
      await scene.apply('images', await scene.pool({ defaults: { pod: {} } }), [
        ...(await twice(scene, reference)),
        // Nobody listens there, so that nothing waits for a name server.
        { name: 'no-image', source: image('127.0.0.1:9/models:v1', 'models/a.gguf') },
        { name: 'no-file', source: image(reference, 'models/none.gguf') },
      ]);

      const say = async (model: string): Promise<string> => contentOf(await ask(scene.url, model));
      assert.equal(await say('image-plain'), await say('claim-plain'));
      assert.equal(await say('image-tuned'), await say('claim-tuned'));
      assert.notEqual(await say('image-tuned'), await say('image-plain'));

      for (const [name, code, because] of [
        ['no-image', 'ImagePull', /cannot be started \((ErrImagePull|ImagePullBackOff)\).*127\.0\.0\.1:9\/models/su],
        ['no-file', 'CrashedOnLoad', /failed to open GGUF file '\/corral\/model\/models\/none\.gguf'/u],
      ] as const) {
        const reply = await ask(scene.url, name);
        assert.equal(reply.status, 503, reply.text);
        assert.match(errorOf(reply).message, because);
        await scene.untilStatus('images', [[name, ({ reason, message }) => reason === code && because.test(message)]]);
      }
    }, RESTRICTED),
  );
});
