import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { ApiObject } from './support/api-client.ts';
import { callsOf, renderRight, rightOf } from './support/audit.ts';
import type { Right } from './support/audit.ts';
import { ask, errorOf, order } from './support/edge-client.ts';
import { inCluster } from './support/scene.ts';
import type { Scene } from './support/scene.ts';
import { COMPONENTS, GROUP, SYSTEM } from './support/corral-names.ts';
import type { Component } from './support/corral-names.ts';

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

/** Changes an object behind the back of the edge that keeps it. What is returned resolves when the edge has written it again. */
async function meddle({ corral }: Scene, collection: string, name: string): Promise<() => Promise<unknown>> {
  const { api } = corral.cluster;
  const mark = 'corral.test/meddled';
  await api.call('PATCH', `${collection}/${name}`, { metadata: { annotations: { [mark]: 'true' } } });
  return async () => api.until(collection, name, (object) => object?.metadata.annotations?.[mark] === undefined);
}

/** Makes operator and edge do all that they ever do. */
async function useAll(scene: Scene): Promise<void> {
  const { cluster } = scene.corral;
  const pool = await scene.pool({ capacity: { maxLoaded: 1 } });
  const deployment = await scene.apply('models', pool, [
    { name: 'a', source: { path: '/models/a.gguf' }, scaling: { idleTimeout: '1s' } },
  ]);
  const taken = await takeName(scene, deployment, 'a');
  assert.match(errorOf(await ask(scene.url, 'a')).message, /there is a pod .* that is not Corral's/u);
  await cluster.kubectl(['--namespace', scene.namespace, 'delete', 'pod', taken, '--force']);

  const edge = await scene.corral.pod('edge');
  const kept = [
    `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases`,
    `${GROUP}/namespaces/${SYSTEM}/edgereports`,
  ];
  const rewritten = await Promise.all(kept.map(async (collection) => meddle(scene, collection, edge.metadata.name)));
  assert.equal((await order(scene.url, 'load', 'a')).status, 200);
  await scene.pods.until('the pod is loaded and gone', () =>
    scene.pods.events.find(({ kind, pod }) => kind === 'gone' && pod.metadata.labels?.['corral.dev/preset'] === 'a'),
  );
  for (const done of rewritten) await done();
  await cluster.kubectl(['--namespace', SYSTEM, 'delete', 'pod', edge.metadata.name, '--wait=false']);
  await scene.corral.untilGone(edge);
  await scene.corral.pod('edge', edge);
}

describe('the rights of', { timeout: 180_000 }, () => {
  it(
    'operator and edge are all that they need, and nothing that they do not use',
    inCluster(async (scene) => {
      await useAll(scene);
      for (const component of COMPONENTS) {
        const calls = await callsOf(scene.corral.cluster, component);
        const used = new Set(calls.map(rightOf));
        const unused = [...grantsOf(component)].filter((right) => !used.has(right));
        assert.deepEqual(unused, [], `the ${component} may do what it never does`);
      }
    }),
  );
});
