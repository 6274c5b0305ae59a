import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MODEL_DEPLOYMENTS, MODEL_POOLS } from '../api/cluster/resources.ts';
import { milliseconds } from '../domain/units.ts';
import { aModelPool } from '../testing/cluster-objects.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import type { Rendering } from '../api/cluster/verdict.ts';
import { CatalogFollower, type ClusterCatalog } from './catalog-follower.ts';
import { Watch } from '../testing/watch.ts';

const deployment = (name: string): JsonObject => ({
  metadata: { name, namespace: 'ml' },
  spec: { pool: 'default', presets: [{ name, source: { path: '/m' }, engine: { image: 'i' } }] },
});

const A = { namespace: 'ml', name: 'a' };

/** A follower of the ModelDeployment `a`, on a clock that the test moves, which takes 20 ms to render a preset. */
async function startFollower(t: TestContext) {
  const timers = new ManualTimers();
  const { server, api } = await startKube(t, { timers });
  server.put(MODEL_POOLS, aModelPool());
  server.put(MODEL_DEPLOYMENTS, deployment('a'));
  const catalogs: string[] = [];
  const news: ClusterCatalog<Rendering>[] = [];
  const watch = new Watch(() => `heard: ${catalogs.join('; ')}`);
  const follower = new CatalogFollower({
    api,
    render: ({ preset }) => {
      timers.advance(milliseconds(20));
      return { ok: true, template: { rendered: preset } };
    },
    onCatalog: (catalog) => {
      news.push(catalog);
      catalogs.push(catalog.catalog.presets.map(({ model }) => model).join());
      watch.look();
    },
    timers,
    log: keptLog(),
  });
  t.after(async () => follower.stop());
  await follower.start();
  assert.deepEqual(catalogs, ['a']);
  await server.until(() => server.watching('modeldeployments') === 1);
  const until = async (count: number): Promise<void> => watch.until(() => catalogs.length >= count);
  return { timers, server, follower, catalogs, news, until };
}

test('after a decision that took long it rests nine times as long before it decides about statuses that have changed', async (t) => {
  const { timers, server, follower, catalogs, until } = await startFollower(t);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({ ...object, status: { observedGeneration: 1 } }));
  await timers.armed(milliseconds(180));
  assert.deepEqual(catalogs, ['a'], 'who has read of it waits');
  await follower.refresh();
  assert.deepEqual(catalogs, ['a', 'a'], 'who asks for a decision does not');
  timers.advance(milliseconds(180));
  await until(3);
  assert.deepEqual(catalogs, ['a', 'a', 'a']);
});

test('what somebody declares or deletes is decided about at once, also while it rests for the sake of statuses', async (t) => {
  const { timers, server, catalogs, until } = await startFollower(t);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({ ...object, status: { observedGeneration: 1 } }));
  await timers.armed(milliseconds(180));
  server.put(MODEL_DEPLOYMENTS, deployment('b'));
  await until(2);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), deletionTimestamp: '2026-01-01T00:00:00Z' },
  }));
  await until(3);
  assert.deepEqual(catalogs, ['a', 'a,b', 'b']);
});

test('of a status that says nothing new of names is told with what was decided, and nothing is decided anew', async (t) => {
  const { timers, server, follower, news, until } = await startFollower(t);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({ ...object, status: { loaded: '1/1' } }));
  await timers.armed(milliseconds(180));
  timers.advance(milliseconds(180));
  await until(2);
  assert.equal(news[1], news[0], 'the very same');
  const [{ deployment: decided } = assert.fail()] = news[0]?.acceptance.verdicts ?? assert.fail();
  assert.equal(decided.status, undefined);
  assert.equal(follower.newestDeployment(decided).status?.loaded, '1/1');
  await follower.refresh();
  assert.notEqual(news[2], news[0], 'who asks for a decision gets one');
  assert.equal(news[2]?.acceptance.verdicts[0]?.deployment.status?.loaded, '1/1');
});

test('who is deleted and gives up its pods is heard, whatever its status says', async (t) => {
  const { server, news, until } = await startFollower(t);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({
    ...object,
    metadata: {
      ...(object['metadata'] as JsonObject),
      ...{ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['another', 'orphan'] },
    },
  }));
  await until(2);
  assert.equal(news[1]?.orphaning.size, 1);
  server.edit(MODEL_DEPLOYMENTS, A, (object) => ({
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), finalizers: ['another'] },
  }));
  await until(3);
  assert.equal(news[2]?.orphaning.size, 0);
});
