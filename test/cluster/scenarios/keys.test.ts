import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { SYSTEM } from '../support/corral-names.ts';
import { startEdgePod } from '../support/edge-pod.ts';
import { inCluster } from '../support/in-cluster.ts';

const SECRETS = `/api/v1/namespaces/${SYSTEM}/secrets`;

describe('an edge in a cluster', { timeout: 180_000 }, () => {
  it(
    'asks for the keys of the Secret that deploy/edge.yaml mounts, once it is told so, with no right to read Secrets',
    inCluster(async ({ t, corral }) => {
      const { api } = corral.cluster;
      const secretName = `edge-with-keys-${randomBytes(4).toString('hex')}`;
      const key = randomBytes(16).toString('hex');
      const keys = `keys: [{id: team, sha256: "${hash('sha256', key)}"}]\n`;
      await api.call('POST', SECRETS, { metadata: { name: secretName }, stringData: { 'keys.yaml': keys } });
      t.after(async () => api.call('DELETE', `${SECRETS}/${secretName}`));
      const args = ['--keys-file=/etc/corral/keys/keys.yaml'];
      const { url } = await startEdgePod(t, api, { args, secretName });
      const status = async (path: string, headers = {}): Promise<number> =>
        (await fetch(url + path, { headers })).status;
      assert.equal(await status('/v1/models'), 401);
      assert.equal(await status('/v1/models', { authorization: `Bearer ${key}` }), 200);
      assert.equal(await status('/health'), 200);
    }),
  );
});
