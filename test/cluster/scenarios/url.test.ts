import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, contentOf, errorOf } from '../support/edge-client.ts';
import { modelFolder } from '../support/model-folder.ts';
import { startModelHub } from '../support/model-hub.ts';
import { inCluster } from '../support/in-cluster.ts';

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

describe('a model at a URL', { timeout: 180_000 }, () => {
  it(
    'is downloaded before its llama-server starts and compared with its checksum; what goes wrong is its reason',
    inCluster(async (scene) => {
      const model = join(await modelFolder(), 'a.gguf');
      const repository = { name: 'corral/tiny-GGUF', file: 'tiny-Q4_K_M.gguf', model };
      const hub = await startModelHub(scene.t, scene.corral.cluster.hostIp, repository);
      const sha256 = createHash('sha256')
        .update(await readFile(model))
        .digest('hex');
      const pool = await scene.pool({ defaults: { pod: {} } });
      const persistentVolumeClaim = { claimName: await scene.claim(), path: 'a.gguf' };
      await scene.apply('urls', pool, [
        { name: 'local', source: { persistentVolumeClaim } },
        { name: 'fetched', source: { url: { url: hub.fileUrl, sha256 } } },
        { name: 'unchecked', source: { url: { url: hub.fileUrl } } },
        { name: 'other', source: { url: { url: hub.fileUrl, sha256: '0'.repeat(64) } } },
        { name: 'missing', source: { url: { url: `${hub.url}missing.gguf` } } },
      ]);

      const said = contentOf(await ask(scene.url, 'local'));
      for (const name of ['fetched', 'unchecked']) assert.equal(contentOf(await ask(scene.url, name)), said);
      for (const [name, because] of [
        ['other', new RegExp(`could not be downloaded: the file is another one: its SHA-256 is ${sha256}`, 'u')],
        ['missing', /could not be downloaded: curl: \(22\) .*404/u],
      ] as const) {
        const reply = await ask(scene.url, name);
        assert.equal(reply.status, 503, reply.text);
        assert.match(errorOf(reply).message, because);
        await scene.untilStatus('urls', [
          [name, ({ reason, message }) => reason === 'DownloadFailed' && because.test(message)],
        ]);
      }
    }, RESTRICTED),
  );
});
