import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { ask, contentOf, startAsking, untilListed } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import { GROUP, SYSTEM } from '../support/corral-names.ts';

const preset = (name: string, idleTimeout: string): PresetSpec => ({
  name,
  source: { path: `/models/${name}.gguf` },
  scaling: { idleTimeout },
});

/** Tokens of a stream that takes some seconds. */
const LONG = 900;

/** Deletes a pod of Corral, as a rollout or the draining of a node does. */
const deletePod = async (scene: Scene, { metadata }: ApiObject): Promise<string> =>
  scene.corral.cluster.kubectl(['--namespace', SYSTEM, 'delete', 'pod', metadata.name, '--wait=false']);

const uidsOf = (pods: readonly ApiObject[]): readonly string[] => pods.map(({ metadata }) => metadata.uid);

describe('whenever it happens', { timeout: 180_000 }, () => {
  it(
    'an idle model that is wanted again while it leaves answers, from the same pod or another',
    inCluster(async (scene) => {
      await scene.apply('idle', await scene.pool(), [preset('a', '300ms')]);
      const said = contentOf(await ask(scene.url, 'a'));
      for (let round = 0; round < 3; round += 1) {
        await scene.untilClosed(await scene.readyPod('a'));
        assert.equal(contentOf(await ask(scene.url, 'a')), said);
      }
      await scene.pods.untilEmpty();
    }),
  );

  it(
    'an edge that is replaced finishes its streams, the next one uses the pods that are there, and both are heard',
    inCluster(async (scene) => {
      await scene.apply('kept', await scene.pool(), [preset('slow', '500ms')]);
      const stream = await startStream(scene, 'slow', LONG);
      const model = await scene.readyPod('slow');
      const old = await scene.corral.pod('edge');
      await deletePod(scene, old);
      const fresh = await scene.corral.pod('edge', old);
      const { url } = await scene.corral.edge();
      await untilListed(url, 'slow');
      contentOf(await ask(url, 'slow'));
      assert.deepEqual(uidsOf(scene.pods.pods), [model.metadata.uid]);
      await assertWhole(stream.whole, 'slow', LONG);

      await scene.corral.untilGone(old);
      const { api } = scene.corral.cluster;
      const reports = `${GROUP}/namespaces/${SYSTEM}/edgereports`;
      assert.deepEqual(
        (await api.list(reports)).map(({ metadata }) => metadata.name),
        [fresh.metadata.name],
      );
      await scene.pods.untilGone(model.metadata.uid);
      assert.deepEqual(new Set(uidsOf(scene.pods.events.map(({ pod }) => pod))), new Set([model.metadata.uid]));
    }),
  );

  it(
    'an operator that is replaced cuts nothing, and the next one goes on with the pods that are there',
    inCluster(async (scene) => {
      await scene.apply('kept', await scene.pool(), [preset('slow', '500ms')]);
      const stream = await startStream(scene, 'slow', LONG);
      const model = await scene.readyPod('slow');
      const old = await scene.corral.leader();
      await deletePod(scene, old);
      await scene.corral.untilGone(old);
      await scene.corral.leader(old);
      await assertWhole(stream.whole, 'slow', LONG);
      await scene.pods.untilGone(model.metadata.uid);
      assert.deepEqual(new Set(uidsOf(scene.pods.events.map(({ pod }) => pod))), new Set([model.metadata.uid]));
    }),
  );

  it(
    'an operator that is replaced while a busy model drains: the next one waits for the end of its stream too',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '300ms' } });
      await scene.apply('models', pool, [preset('slow', '0s'), preset('a', '0s')]);
      contentOf(await ask(scene.url, 'slow'));
      const stream = await startStream(scene, 'slow', LONG);
      const model = await scene.readyPod('slow');
      const next = startAsking(scene.url, 'a');
      await scene.untilClosed(model);

      const old = await scene.corral.leader();
      await deletePod(scene, old);
      await scene.corral.leader(old);
      await assertWhole(stream.whole, 'slow', LONG);
      contentOf(await next.reply);
      const comings = scene.pods.events.filter(({ kind }) => kind !== 'changed');
      assert.deepEqual(
        comings.map(({ kind, pod }) => `${String(pod.metadata.labels?.['corral.dev/preset'])} ${kind}`),
        ['slow created', 'slow gone', 'a created'],
      );
    }),
  );
});
