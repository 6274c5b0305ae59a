import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES, PODS } from '../api/cluster/resources.ts';
import type { JsonObject } from '../domain/json.ts';
import { modelName } from '../domain/ids.ts';
import { monotonicNow, wakeIn } from '../platform/clock.ts';
import { aDeployment, aModelPool } from '../testing/cluster-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { keptLog, startKube, unseen } from '../testing/kube-testbed.ts';
import { Operator } from './operator.ts';

/** An operator that has not started yet, of a cluster with one model `a`. */
async function declared(t: TestContext, pool: JsonObject): Promise<{ operator: Operator; server: FakeApiServer }> {
  const timers = { now: monotonicNow, wakeIn, random: Math.random };
  const { api, server } = await startKube(t, { timers });
  server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ml' } });
  server.put(MODEL_POOLS, aModelPool({ ...pool, defaults: { engine: { image: 'llama:1' } } }));
  server.put(MODEL_DEPLOYMENTS, aDeployment('a'));
  const parts = { api, timers, lookAt: unseen, wallNow: Date.now, instance: 'o', nonce: 'ab', log: keptLog() };
  const operator = new Operator(parts);
  t.after(async () => operator.stop());
  return { operator, server };
}

test('the operator plans for what is declared once everything was read, and a plan makes no pod', async (t) => {
  const { operator, server } = await declared(t, { capacity: { maxLoaded: 1 } });
  assert.equal(operator.plan(modelName('a')), undefined, 'nothing is read yet');
  await operator.lead();
  assert.equal(operator.plan(modelName('a'))?.outcome, 'starts');
  assert.equal(operator.plan(modelName('b')), undefined);
  assert.deepEqual(server.objects(PODS), []);
});

test('the operator says that a request would be refused where the edges refuse it', async (t) => {
  const { operator } = await declared(t, { paused: true });
  await operator.lead();
  const plan = operator.plan(modelName('a'));
  assert.ok(plan?.outcome === 'refused');
  assert.equal(plan.reason, 'PoolPaused');
});
