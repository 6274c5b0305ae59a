import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { ApiObject } from './support/api-client.ts';
import { callsOf, isForbidden, renderRight, rightOf } from './support/audit.ts';
import type { Right } from './support/audit.ts';
import { ask, contentOf, startAsking } from './support/edge-client.ts';
import { inCluster } from './support/scene.ts';
import type { Scene } from './support/scene.ts';
import { SYSTEM } from './support/with-corral.ts';
import type { Component } from './support/with-corral.ts';

const deploy = join(import.meta.dirname, '../../deploy');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** All that the manifests allow a component. */
function grantsOf(component: Component): ReadonlySet<Right> {
  const documents = parseAllDocuments(readFileSync(join(deploy, `${component}.yaml`), 'utf8'));
  const rules = documents.flatMap((document) => (document.toJS() as { readonly rules?: readonly Rule[] }).rules ?? []);
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => renderRight({ verb, group, resource }))),
      ),
    ),
  );
}

/** The pod of a stranger, who has taken the name that a preset's first pod would have. */
async function takeName(scene: Scene, deployment: ApiObject, preset: string): Promise<string> {
  const hash = createHash('sha256').update(`${deployment.metadata.uid}/${preset}`).digest('hex').slice(0, 10);
  const name = `${preset}-${hash}-0`;
  await scene.corral.cluster.api.call('POST', `/api/v1/namespaces/${scene.namespace}/pods`, {
    metadata: { name },
    spec: { containers: [{ name: 'main', image: scene.corral.image }], nodeSelector: { 'corral.test/node': 'none' } },
  });
  return name;
}

/** Changes an object behind the back of the edge that keeps it; resolves when the edge has written it again. */
async function meddle({ corral }: Scene, collection: string, name: string): Promise<void> {
  const { api } = corral.cluster;
  const mark = { 'corral.test/meddled': 'true' };
  await api.call('PATCH', `${collection}/${name}`, { metadata: { annotations: mark } });
  await api.until(collection, name, (object) => object?.metadata.annotations?.['corral.test/meddled'] === undefined);
}

/** Makes operator and edge do all that they ever do. */
async function useAll(scene: Scene): Promise<void> {
  const { api } = scene.corral.cluster;
  const pool = await scene.pool({ capacity: { maxLoaded: 1 } });
  const deployment = await scene.apply('models', pool, [
    { name: 'a', source: { path: '/models/a.gguf' }, scaling: { idleTimeout: '1s' } },
  ]);
  const taken = await takeName(scene, deployment, 'a');
  const asking = startAsking(scene.url, 'a');
  const edge = await scene.corral.pod('edge');
  await meddle(scene, `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases`, edge.metadata.name);
  await meddle(scene, `/apis/corral.dev/v1alpha1/namespaces/${SYSTEM}/edgereports`, edge.metadata.name);
  assert.ok(!asking.isOver(), 'a stranger has answered');
  await api.call('DELETE', `/api/v1/namespaces/${scene.namespace}/pods/${taken}?gracePeriodSeconds=0`);
  contentOf(await asking.reply);
  await scene.pods.untilEmpty();
  await scene.corral.cluster.kubectl(['--namespace', SYSTEM, 'delete', 'pod', edge.metadata.name, '--wait=false']);
  await scene.corral.untilGone(edge);
  contentOf(await ask((await scene.corral.edge()).url, 'a'));
}

describe('the rights of', { timeout: 180_000 }, () => {
  it(
    'operator and edge are all that they need, and nothing that they do not use',
    inCluster(async (scene) => {
      await useAll(scene);
      for (const component of ['operator', 'edge'] as const) {
        const calls = await callsOf(scene.corral.cluster, component);
        const refused = calls.filter(isForbidden).map(rightOf);
        assert.deepEqual(refused, [], `${component} may not do what it tries to do`);
        const used = new Set(calls.map(rightOf));
        const unused = [...grantsOf(component)].filter((right) => !used.has(right));
        assert.deepEqual(unused, [], `${component} may do what it never does`);
      }
    }),
  );
});
