import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiObject } from '../support/api-client.ts';
import { ask, contentOf, startAsking, untilListed } from '../support/edge-client.ts';
import type { PodWatch } from '../support/pod-watch.ts';
import { isClosed } from '../support/pod-gate.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec } from '../support/scene.ts';
import { isReady } from '../support/test-cluster.ts';
import { startTraffic } from '../support/traffic.ts';

const CLIENTS = 3;
/** Enough for requests to be in flight at any moment. */
const TOKENS = 100;

const preset = (file: string, tag: string): PresetSpec => ({
  name: 'model',
  source: { path: `/models/${file}.gguf` },
  tags: [tag],
});

/** Whether a pod gets requests. */
const serves = (pod: ApiObject): boolean =>
  isReady(pod) && !isClosed(pod.metadata) && pod.metadata.deletionTimestamp === undefined;

/** How many pods got requests after each thing that happened to one. */
function servingOverTime({ events }: PodWatch): readonly number[] {
  const pods = new Map<string, ApiObject>();
  return events.map(({ kind, pod }) => {
    if (kind === 'gone') pods.delete(pod.metadata.uid);
    else pods.set(pod.metadata.uid, pod);
    return [...pods.values()].filter(serves).length;
  });
}

describe('an edit of a ModelDeployment', { timeout: 180_000 }, () => {
  it(
    'that changes the source of a loaded model: the old one answers nothing that came after it, and nothing is cut',
    inCluster(async (scene) => {
      await scene.apply('edited', await scene.pool(), [preset('a', 'first')]);
      const a = contentOf(await ask(scene.url, 'model', TOKENS));
      const old = await scene.readyPod('model');

      const traffic = startTraffic(scene.url, 'model', TOKENS);
      await ask(scene.url, 'model', TOKENS);
      await scene.edit('edited', [preset('b', 'second')]);
      await untilListed(scene.url, 'model', (listed) => listed?.tags.includes('second') === true);
      const later = await Promise.all(Array.from({ length: CLIENTS }, async () => ask(scene.url, 'model', TOKENS)));
      await scene.pods.untilGone(old.metadata.uid);
      const all = await traffic.stop();

      const [b = '', ...others] = new Set(later.map(contentOf));
      assert.deepEqual(others, []);
      assert.notEqual(b, a);
      assert.deepEqual(new Set(all), new Set([a, b]));
    }),
  );

  it(
    'that changes the source while no operator runs: requests wait for one, and the old model answers none of them',
    inCluster(async (scene) => {
      await scene.apply('edited', await scene.pool(), [preset('a', 'first')]);
      const a = contentOf(await ask(scene.url, 'model'));
      const startOperator = await scene.corral.withoutOperator(scene.t);
      await scene.edit('edited', [preset('b', 'second')]);
      await untilListed(scene.url, 'model', (listed) => listed?.tags.includes('second') === true);
      const asking = startAsking(scene.url, 'model');
      await startOperator();
      assert.notEqual(contentOf(await asking.reply), a);
    }),
  );

  it(
    'that changes how a model runs, in a pool with room: there is always a pod that gets requests, and none is cut',
    inCluster(async (scene) => {
      const always = { ...preset('a', 'first'), scaling: { minReplicas: 1 } };
      await scene.apply('edited', await scene.pool(), [always]);
      const old = await scene.readyPod('model');
      const before = scene.pods.events.length;

      const traffic = startTraffic(scene.url, 'model', TOKENS);
      await scene.edit('edited', [{ ...always, args: ['--top-k=30'] }]);
      await scene.pods.untilGone(old.metadata.uid);
      assert.equal(new Set(await traffic.stop()).size, 1);

      const serving = servingOverTime(scene.pods).slice(before);
      assert.ok(serving.length > 0 && serving.every((pods) => pods > 0), serving.join());
      assert.equal(scene.pods.pods.length, 1);
    }),
  );

  it(
    'that changes nothing of the pod leaves it alone',
    inCluster(async (scene) => {
      await scene.apply('renamed', await scene.pool(), [preset('a', 'first')]);
      contentOf(await ask(scene.url, 'model'));
      const { metadata } = await scene.readyPod('model');
      await scene.edit('renamed', [{ ...preset('a', 'second'), aliases: ['other'] }]);
      await scene.untilStatus('renamed', [['model', ({ names }) => names.includes('other')]]);
      await untilListed(scene.url, 'model', (listed) => listed?.tags.includes('second') === true);
      contentOf(await ask(scene.url, 'model'));
      assert.deepEqual(
        scene.pods.pods.map((pod) => pod.metadata.uid),
        [metadata.uid],
      );
    }),
  );
});
