import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Observer } from '../observer/observer.ts';
import { ApiClient } from '../support/api-client.ts';
import { componentToken } from '../support/create-token.ts';
import { startCluster } from '../support/start-cluster.ts';
import type { TestCluster } from '../support/test-cluster.ts';

/** Calls as the operator may make them, by a token of its ServiceAccount that belongs to no pod. */
async function asOperator({ api, server, caFile }: TestCluster): Promise<ApiClient> {
  const token = await componentToken(api, 'operator');
  return new ApiClient({ server, token, ca: readFileSync(caFile, 'utf8') });
}

/** A pod as Corral would make it for a ModelDeployment that never was. */
const POD_FOR_NOBODY = {
  metadata: {
    name: 'nobody-0',
    labels: { 'corral.dev/preset': 'nobody' },
    annotations: { 'corral.dev/pool': 'none', 'corral.dev/footprint': '{}' },
    ownerReferences: [
      { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', name: 'nobody', uid: 'never', controller: true },
    ],
  },
  spec: { containers: [{ name: 'llama-server', image: 'none' }] },
};

describe('the observer of a cluster', { timeout: 120_000 }, () => {
  it('finds an operator out that does not lead and makes a pod for nobody, and nothing before that', async (t) => {
    // A cluster of its own: in that of all tests it would fail the run.
    const own = await startCluster({ nodes: 0 });
    t.after(async () => own.stop());
    const observer = await Observer.start(own.cluster);
    await own.cluster.deploy('crds/', 'deploy/namespace.yaml', 'deploy/operator.yaml');
    const operator = await asOperator(own.cluster);
    t.after(async () => operator.close());
    await operator.call('POST', '/api/v1/namespaces/default/pods?dryRun=All', POD_FOR_NOBODY);
    await operator.call('POST', '/api/v1/namespaces/default/pods', POD_FOR_NOBODY);
    const { violations } = await observer.end();
    const byRule = Map.groupBy(violations, ({ rule }) => rule.slice(0, 2));
    assert.deepEqual([...byRule.keys()].sort(), ['S1', 'S3', 'S5']);
    for (const [rule, found] of byRule) assert.equal(found.length, rule === 'S5' ? 2 : 1, rule);
  });
});
