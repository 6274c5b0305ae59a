import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLedger } from '../activity/create-ledger.ts';
import { viewPod } from '../api/cluster/pod-view.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { createPresetReader } from '../api/cluster/routed-presets.ts';
import { instant, seconds } from '../domain/units.ts';
import { createRouteBoard } from '../routing/route-board.ts';
import { aDeployment, aModelPod, aModelPool } from '../testing/cluster-objects.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { Watch } from '../testing/watch.ts';
import { RouteFollower } from './route-follower.ts';

const CLOSED = { closed: true, epoch: 1 };

/** A follower of a cluster in which `a` is ready at its pod. No table can be made of what it sees while `fails`. */
async function startFollower(t: TestContext, fails = false) {
  const { server, api } = await startKube(t);
  server.put(MODEL_POOLS, aModelPool());
  server.put(MODEL_DEPLOYMENTS, aDeployment('a'));
  server.put(PODS, aModelPod('a', { ip: '10.0.0.1' }));
  const [watch, log, board, ledger] = [new Watch(), keptLog(), createRouteBoard(), createLedger()];
  const bed = { fails, reads: 0, gates: 0, published: 0 };
  const follower = new RouteFollower({
    ...{ api, board, ledger, log, timers: new EagerTimers(seconds(2)) },
    readPod: (object) => {
      bed.reads += 1;
      const pod = viewPod(object);
      if (pod?.gate?.closed === true) bed.gates += 1;
      return pod;
    },
    readPresets: createPresetReader(() => ({ now: instant(0), wall: 0 })),
    // The last that is asked before there is a table.
    underOrders: (_preset, told) => {
      watch.look();
      if (bed.fails) throw new Error('planted');
      return told;
    },
    onPublished: () => {
      bed.published += 1;
      watch.look();
    },
  });
  t.after(async () => follower.stop());
  const readyAt = (): string[] => board.read().routes.flatMap(({ replicas }) => replicas.map(({ id }) => id));
  return { bed, server, watch, log, follower, readyAt };
}

const ERRORS = ['error the routes could not be made, the last ones hold'];

test('where no table can be made, the last one holds and no gate is acknowledged, until one can', async (t) => {
  const { bed, server, watch, log, follower, readyAt } = await startFollower(t);
  await follower.start();
  assert.deepEqual(readyAt(), ['a-pod']);

  bed.fails = true;
  server.put(MODEL_DEPLOYMENTS, aDeployment('b'));
  server.put(PODS, aModelPod('a', { ip: '10.0.0.1', gate: CLOSED }));
  await watch.until(() => bed.gates > 0);
  follower.publish();
  assert.deepEqual([readyAt(), follower.acks, log.lines], [['a-pod'], new Map(), ERRORS], 'it is told once');
  assert.deepEqual([...follower.declared.keys()], ['a-uid/a']);

  bed.fails = false;
  server.put(MODEL_DEPLOYMENTS, aDeployment('c'));
  await watch.until(() => follower.acks.size > 0);
  assert.deepEqual([readyAt(), [...follower.acks]], [[], [['a-pod', 1]]]);
  bed.fails = true;
  follower.publish();
  assert.deepEqual(log.lines, [...ERRORS, ...ERRORS], 'another time is told again');
});

test('a follower that can make no first table has not started', async (t) => {
  const { bed, follower } = await startFollower(t, true);
  await assert.rejects(follower.start(), /planted/u);
  assert.equal(bed.published, 0);
});

test('a pod is read once, however often something else changes, and again when it has', async (t) => {
  const { bed, server, watch, follower, readyAt } = await startFollower(t);
  await follower.start();
  server.put(MODEL_DEPLOYMENTS, aDeployment('b'));
  await watch.until(() => bed.published > 1);
  assert.equal(bed.reads, 1);
  server.put(PODS, aModelPod('a'));
  await watch.until(() => readyAt().length === 0);
  assert.equal(bed.reads, 2);
});
