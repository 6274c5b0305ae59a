import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, contentOf } from '../support/edge-client.ts';
import { modelFolder } from '../support/model-folder.ts';
import { startModelHub } from '../support/model-hub.ts';
import { inCluster } from '../support/in-cluster.ts';

describe('a model of a hub', { timeout: 180_000 }, () => {
  it(
    'is downloaded by its pod, with the token of a Secret, which is seen nowhere else',
    inCluster(async (scene) => {
      const { cluster } = scene.corral;
      const [name, file] = ['corral/tiny-GGUF', 'tiny-Q4_K_M.gguf'];
      const model = join(await modelFolder(), 'a.gguf');
      const hub = await startModelHub(scene.t, cluster.hostIp, { name, file, model });
      // In the shape of real ones: llama-server sends no others.
      const token = `hf_${randomBytes(20).toString('hex')}`;
      await cluster.api.call('POST', `/api/v1/namespaces/${scene.namespace}/secrets`, {
        metadata: { name: 'hub' },
        stringData: { token },
      });
      const pool = await scene.pool();
      await scene.apply('downloaded', pool, [
        {
          name: 'model',
          source: { huggingFace: { repo: name, quant: 'Q4_K_M', tokenSecretRef: { name: 'hub', key: 'token' } } },
          env: [{ name: 'MODEL_ENDPOINT', value: hub.url }],
        },
        { name: 'local', source: { path: '/models/a.gguf' } },
      ]);

      const said = contentOf(await ask(scene.url, 'model'));
      assert.equal(said, contentOf(await ask(scene.url, 'local')));
      assert.deepEqual([...hub.authorizations], [`Bearer ${token}`]);
      const seen = [
        JSON.stringify(scene.pods.events),
        await cluster.kubectl(['--namespace', scene.namespace, 'get', 'mdep,pods,events', '--output=yaml']),
        await scene.corral.logs('operator'),
        await scene.corral.logs('edge'),
      ];
      for (const text of seen) assert.ok(!text.includes(token), 'the token is seen');
    }),
  );
});
