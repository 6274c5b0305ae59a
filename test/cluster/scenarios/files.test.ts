import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, contentOf } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec } from '../support/scene.ts';

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

describe('the further files of a model', { timeout: 180_000 }, () => {
  it(
    'come from where they are declared, and another adapter is another model, whose pod is made when it is asked for',
    inCluster(async (scene) => {
      const pool = await scene.pool({ defaults: { pod: {} } });
      const claimName = await scene.claim();
      const of = (path: string): PresetSpec['source'] => ({ persistentVolumeClaim: { claimName, path } });
      const source = of('a.gguf');
      const draft = { arg: 'model-draft', source: of('a.gguf') };
      const models = [{ name: 'model', source, files: [draft] }];
      await scene.apply('files', pool, models);

      const plain = contentOf(await ask(scene.url, 'model'));
      const first = await scene.readyPod('model');
      await scene.edit('files', [
        { name: 'model', source, files: [draft, { arg: 'lora', source: of('adapter.gguf') }] },
      ]);
      await scene.pods.untilGone(first.metadata.uid);
      assert.notEqual(contentOf(await ask(scene.url, 'model')), plain);
    }, RESTRICTED),
  );
});
