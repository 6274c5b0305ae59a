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
import { inCluster } from './support/in-cluster.ts';
import type { Scene } from './support/scene.ts';
import { COMPONENTS, GROUP, SYSTEM } from './support/corral-names.ts';
import type { Component } from './support/corral-names.ts';
import type { AuditEvent } from './support/audit-log.ts';

const deploy = join(import.meta.dirname, '../../deploy');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(component: Component): readonly Rule[] {
  const documents = parseAllDocuments(readFileSync(join(deploy, `${component}.yaml`), 'utf8'));
  return documents.flatMap((document) => (document.toJS() as { readonly rules?: readonly Rule[] }).rules ?? []);
}

/** All that the manifests allow a component. */
function grantsOf(component: Component): ReadonlySet<Right> {
  return new Set(
    rulesOf(component).flatMap(({ apiGroups, resources, verbs }) =>
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

/** A node that takes only pods that tolerate everything, and on which nobody lives: none of their containers ever begins. */
async function emptyNode({ t, corral }: Scene): Promise<object> {
  const { api } = corral.cluster;
  const [nodes, name] = ['/api/v1/nodes', 'corral-test-empty'];
  const labels = { 'corral.test/node': name };
  const taints = [{ key: 'corral.test/empty', effect: 'NoSchedule' }];
  await api.call('POST', nodes, { metadata: { name, labels }, spec: { taints } });
  t.after(async () => {
    await api.call('DELETE', `${nodes}/${name}`);
  });
  const amounts = { cpu: '8', memory: '8Gi', pods: '9' };
  await api.call('PATCH', `${nodes}/${name}/status`, { status: { capacity: amounts, allocatable: amounts } });
  return { nodeSelector: labels, tolerations: [{ operator: 'Exists' }] };
}

/** Resolves when the operator has asked why a pod does not begin, and has told what it was told. */
async function useEvents(scene: Scene, pool: string): Promise<void> {
  const { cluster } = scene.corral;
  await scene.apply('stuck', pool, [
    { name: 'stuck', source: { path: '/models/a.gguf' }, pod: await emptyNode(scene) },
  ]);
  assert.equal((await order(scene.url, 'load', 'stuck')).status, 200);
  const pod = await scene.pods.until('its pod', () =>
    scene.pods.pods.find(({ metadata }) => metadata.labels?.['corral.dev/preset'] === 'stuck'),
  );
  const { name, uid } = pod.metadata;
  await cluster.api.call('POST', `/api/v1/namespaces/${scene.namespace}/events`, {
    metadata: { name: 'stuck' },
    involvedObject: { kind: 'Pod', namespace: scene.namespace, name, uid },
    ...{ type: 'Warning', reason: 'FailedMount', message: 'no disk', lastTimestamp: '2026-01-01T00:00:00Z' },
  });
  await scene.untilStatus('stuck', [['stuck', ({ message }) => message === 'FailedMount: no disk']]);
  await scene.remove('stuck');
  await cluster.kubectl(['--namespace', scene.namespace, 'delete', 'pod', name, '--force']);
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

  await useEvents(scene, await scene.pool());
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

/** What other tests try in a component's name is tried only, and stored nowhere. */
const isReal = ({ requestURI }: AuditEvent): boolean => !requestURI.includes('dryRun=');

describe('the rights of', { timeout: 180_000 }, () => {
  it(
    'operator and edge are all that they need, and nothing that they do not use',
    inCluster(async (scene) => {
      await useAll(scene);
      for (const component of COMPONENTS) {
        const calls = await callsOf(scene.corral.cluster, component);
        const used = new Set(calls.filter(isReal).map(rightOf));
        const granted = grantsOf(component);
        assert.deepEqual([...granted.difference(used)], [], `the ${component} may do what it never does`);
        assert.deepEqual([...used.difference(granted)], [], `the ${component} does what it may not do`);
      }
    }),
  );

  for (const component of COMPONENTS)
    it(`the ${component} name each thing, and no Secrets`, () => {
      const named = rulesOf(component).flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]);
      assert.ok(named.includes('list'));
      assert.deepEqual(
        named.filter((name) => name.includes('*') || name === 'secrets'),
        [],
      );
    });
});
