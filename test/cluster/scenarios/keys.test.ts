import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { SYSTEM } from '../support/corral-names.ts';
import { inCluster } from '../support/scene.ts';
import { isReady } from '../support/test-cluster.ts';

const PODS = `/api/v1/namespaces/${SYSTEM}/pods`;
const SECRETS = `/api/v1/namespaces/${SYSTEM}/secrets`;

const Volumes = Type.Object({
  volumes: Type.Array(Type.Object({ secret: Type.Object({ secretName: Type.String() }) })),
});
const DeploymentSchema = Type.Object({
  spec: Type.Object({
    template: Type.Object({
      spec: Type.Intersect([
        Volumes,
        Type.Object({ containers: Type.Tuple([Type.Object({ args: Type.Array(Type.String()) })]) }),
      ]),
    }),
  }),
});
const RunningPod = Type.Object({ status: Type.Object({ podIP: Type.String() }) });

describe('an edge in a cluster', { timeout: 180_000 }, () => {
  it(
    'asks for the keys of the Secret that deploy/edge.yaml mounts, once it is told so, with no right to read Secrets',
    inCluster(async ({ t, corral }) => {
      const { api } = corral.cluster;
      const name = `edge-with-keys-${randomBytes(4).toString('hex')}`;
      const key = randomBytes(16).toString('hex');
      const keys = `keys: [{id: team, sha256: "${hash('sha256', key)}"}]\n`;
      await api.call('POST', SECRETS, { metadata: { name }, stringData: { 'keys.yaml': keys } });
      t.after(async () => api.call('DELETE', `${SECRETS}/${name}`));

      // The pod that the Deployment would make, beside it: other tests use that one.
      const deployment = await api.call('GET', `/apis/apps/v1/namespaces/${SYSTEM}/deployments/corral-edge`);
      assert.ok(Value.Check(DeploymentSchema, deployment));
      const { spec } = deployment.spec.template;
      const [{ args, ...container }] = spec.containers;
      const [{ secret, ...volume }] = spec.volumes as [(typeof spec.volumes)[number]];
      assert.equal(secret.secretName, 'corral-keys');
      const containers = [{ ...container, args: [...args, '--keys-file=/etc/corral/keys/keys.yaml'] }];
      const volumes = [{ ...volume, secret: { ...secret, secretName: name } }];
      await api.call('POST', PODS, { metadata: { name }, spec: { ...spec, containers, volumes } });
      t.after(async () => {
        await api.call('DELETE', `${PODS}/${name}`);
        await api.until(PODS, name, (pod) => pod === undefined);
      });

      const pod = await api.until(PODS, name, (one) => one !== undefined && isReady(one));
      assert.ok(Value.Check(RunningPod, pod));
      const url = `http://${pod.status.podIP}:8080`;
      const status = async (path: string, headers = {}): Promise<number> =>
        (await fetch(url + path, { headers })).status;
      assert.equal(await status('/v1/models'), 401);
      assert.equal(await status('/v1/models', { authorization: `Bearer ${key}` }), 200);
      assert.equal(await status('/health'), 200);
    }),
  );
});
