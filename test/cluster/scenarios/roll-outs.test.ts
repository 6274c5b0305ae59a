import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import { SYSTEM, type Component } from '../support/corral-names.ts';
import { ask, contentOf } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { nodeOf } from '../support/node-of.ts';
import { standStill } from '../support/pod-process.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import { startTraffic } from '../support/traffic.ts';

const preset = (name: string): PresetSpec => ({ name, source: { path: `/models/${name}.gguf` } });

/** Tokens of a stream that takes some seconds. */
const LONG = 900;
const PATIENCE = '--timeout=90s';

/** Replaces the pods of a component as an upgrade does, and resolves when the new ones serve. */
async function rollOut({ corral }: Scene, component: Component): Promise<void> {
  const inSystem = ['--namespace', SYSTEM, 'rollout'];
  await corral.cluster.kubectl([...inSystem, 'restart', `deployment/corral-${component}`]);
  await corral.cluster.kubectl([...inSystem, 'status', `deployment/corral-${component}`, PATIENCE]);
}

/** As a Service would choose it. */
const anyEdge =
  ({ corral }: Scene) =>
  async (): Promise<string> =>
    (await corral.edge()).url;

describe('under load', { timeout: 180_000 }, () => {
  it(
    'a roll-out of the edge fails no request, and cuts no stream',
    inCluster(async (scene) => {
      await scene.apply('kept', await scene.pool(), [preset('a'), preset('slow')]);
      contentOf(await ask(scene.url, 'a'));
      const stream = await startStream(scene, 'slow', LONG);
      const old = await scene.corral.pod('edge');
      const traffic = startTraffic(anyEdge(scene), 'a');
      await rollOut(scene, 'edge');
      await assertWhole(stream.whole, 'slow', LONG);
      await scene.corral.untilGone(old);
      assert.equal(new Set(await traffic.stop()).size, 1);
    }),
  );

  it(
    'a roll-out of the operators fails no request of two models that take turns',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '1s' } });
      await scene.apply('turns', pool, [preset('a'), preset('b')]);
      const traffics = ['a', 'b'].map((model) => startTraffic(scene.url, model));
      const old = await scene.corral.leader();
      await rollOut(scene, 'operator');
      await scene.corral.untilGone(old);
      const next = await scene.corral.leader(old);
      assert.notEqual(next.metadata.uid, old.metadata.uid);
      for (const traffic of traffics) assert.equal(new Set(await traffic.stop()).size, 1);
    }),
  );

  it(
    'kubectl drain evicts the pod of a model in use: its stream ends whole, and the next request gets another pod',
    inCluster(async (scene) => {
      const { cluster } = scene.corral;
      await scene.apply('drained', await scene.pool(), [preset('slow')]);
      const said = contentOf(await ask(scene.url, 'slow'));
      const old = await scene.readyPod('slow');
      const stream = await startStream(scene, 'slow', LONG);
      const resume = standStill(scene.t, old);
      const node = nodeOf(old);
      scene.t.after(async () => cluster.kubectl(['uncordon', node]));
      const which = ['--pod-selector=corral.dev/deployment=drained', '--delete-emptydir-data'];
      const draining = cluster.kubectl(['drain', node, ...which, PATIENCE]);
      await scene.pods.until('the eviction', () =>
        scene.pods.pods.find(({ metadata }) => metadata.deletionTimestamp !== undefined),
      );
      assert.ok(!stream.isOver(), 'the stream was too short to be cut');
      resume();
      await cluster.kubectl(['uncordon', node]);
      // Until the edge has heard of it, a request may still go to the old pod: it is answered as well.
      do assert.equal(contentOf(await ask(scene.url, 'slow')), said);
      while (scene.pods.events.filter(({ kind }) => kind === 'created').length === 1);
      await assertWhole(stream.whole, 'slow', LONG);
      await draining;
      await scene.pods.untilGone(old.metadata.uid);
    }),
  );
});
