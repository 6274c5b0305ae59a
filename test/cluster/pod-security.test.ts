import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiObject } from './support/api-client.ts';
import { callsOf } from './support/audit.ts';
import { SYSTEM } from './support/corral-names.ts';
import { ask, contentOf } from './support/edge-client.ts';
import { inCluster } from './support/in-cluster.ts';
import type { Scene } from './support/scene.ts';

const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${SYSTEM}/deployments`;

/** The pods that the operator has sent to be created in a namespace, as it has sent them. */
async function sentPods(scene: Scene): Promise<readonly object[]> {
  const calls = await callsOf(scene.corral.cluster, 'operator');
  return calls
    .filter(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === 'pods')
    .filter(({ objectRef }) => objectRef?.namespace === scene.namespace)
    .flatMap(({ requestObject }) =>
      typeof requestObject === 'object' && requestObject !== null ? [requestObject] : [],
    );
}

/** What the API server warns of when these are stored once more, under a name of their own, and then not kept. */
async function warningsFor({ corral, namespace }: Scene, pods: readonly object[]): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const warnings = await Promise.all(
    pods.map(async (pod) =>
      corral.cluster.api.warningsOf('POST', path, { ...pod, metadata: { ...metadataOf(pod), name: 'again' } }),
    ),
  );
  return warnings.flat();
}

const metadataOf = (pod: object): object =>
  'metadata' in pod && typeof pod.metadata === 'object' && pod.metadata !== null ? pod.metadata : {};

/** The same Deployment with pods that give themselves nothing up. */
function lax(deployment: ApiObject): object {
  // An ApiObject says nothing of the fields beside its metadata; a Deployment of an API server has these.
  const { spec } = deployment as unknown as { readonly spec: { readonly template: { readonly spec: object } } };
  const { template } = spec;
  return { ...deployment, spec: { ...spec, template: { ...template, spec: { ...template.spec, hostNetwork: true } } } };
}

describe('under the pod security level restricted', { timeout: 180_000 }, () => {
  it(
    "Corral's own pods and those of models are taken, without a warning",
    inCluster(async (scene) => {
      const { api } = scene.corral.cluster;
      const pool = await scene.pool({ defaults: { pod: {} } });
      const persistentVolumeClaim = { claimName: await scene.claim(), path: 'a.gguf' };
      await scene.apply('strict', pool, [{ name: 'a', source: { persistentVolumeClaim } }]);
      contentOf(await ask(scene.url, 'a'));
      const pods = await sentPods(scene);
      assert.ok(pods.length > 0, 'no pod was sent');
      assert.deepEqual(await warningsFor(scene, pods), []);

      const deployments = await api.list(DEPLOYMENTS);
      assert.equal(deployments.length, 2);
      for (const deployment of deployments) {
        const path = `${DEPLOYMENTS}/${deployment.metadata.name}?dryRun=All`;
        assert.deepEqual(await api.warningsOf('PUT', path, deployment), []);
        const [warning] = await api.warningsOf('PUT', path, lax(deployment));
        assert.match(String(warning), /would violate PodSecurity .*hostNetwork/u);
      }
    }, RESTRICTED),
  );
});
