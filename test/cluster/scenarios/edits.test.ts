import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, contentOf, startAsking, untilListed } from '../support/edge-client.ts';
import { inCluster } from '../support/scene.ts';
import type { PresetSpec } from '../support/scene.ts';

const CLIENTS = 3;
/** Enough for requests to be in flight at any moment. */
const TOKENS = 100;

const preset = (file: string, tag: string): PresetSpec => ({
  name: 'model',
  source: { path: `/models/${file}.gguf` },
  tags: [tag],
});

/** Clients that ask one after the other until they are stopped. */
function startTraffic(edge: string): { readonly stop: () => Promise<readonly string[]> } {
  let stopped = false;
  const client = async (): Promise<readonly string[]> => {
    const said: string[] = [];
    while (!stopped) said.push(contentOf(await ask(edge, 'model', TOKENS)));
    return said;
  };
  const clients = Array.from({ length: CLIENTS }, client);
  for (const one of clients) {
    one.catch(() => {
      stopped = true;
    });
  }
  return {
    stop: async () => {
      stopped = true;
      return (await Promise.all(clients)).flat();
    },
  };
}

describe('an edit of a ModelDeployment', { timeout: 180_000 }, () => {
  it(
    'that changes the source of a loaded model: the old one answers nothing that came after it, and nothing is cut',
    inCluster(async (scene) => {
      await scene.apply('edited', await scene.pool(), [preset('a', 'first')]);
      const a = contentOf(await ask(scene.url, 'model', TOKENS));
      const old = await scene.readyPod('model');

      const traffic = startTraffic(scene.url);
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
