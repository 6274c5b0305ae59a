import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startEdgePod } from '../support/edge-pod.ts';
import { order, startOrder, untilListed, type ListedStatus } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec } from '../support/scene.ts';

const preset = (name: string, scaling: object = {}): PresetSpec => ({
  name,
  source: { path: `/models/${name}.gguf` },
  scaling,
});

/** Resolves when an edge says so of a model. */
const untilSaid = async (edge: string, model: string, isSo: (status: ListedStatus) => boolean): Promise<void> =>
  untilListed(edge, model, (listed) => listed !== undefined && isSo(listed.status));

describe('orders through one edge', { timeout: 180_000 }, () => {
  it(
    'are answered when they are done, and what becomes of the models is in the list of another one',
    inCluster(async (scene) => {
      const { url: other } = await startEdgePod(scene.t, scene.corral.cluster.api, { args: ['--shutdown-delay=0'] });
      const pool = await scene.pool({ capacity: { maxLoaded: 1 } });
      await scene.apply('first', pool, [preset('b', { minReplicas: 1, autoload: false })]);
      await scene.apply('second', pool, [preset('a', { autoload: false })]);
      const loaded = await order(scene.url, 'load', 'b', '?wait=true');
      assert.deepEqual([loaded.status, loaded.text], [200, '{"success":true,"outcome":"loaded"}']);
      await untilSaid(other, 'b', (status) => status.phase === 'ready' && status.expected_load_ms !== undefined);

      const waiting = startOrder(scene.url, 'load', 'a', '?wait=true');
      await untilSaid(
        other,
        'a',
        ({ phase, reason, position, holders = [] }) =>
          phase === 'waiting' && reason === 'WaitingForCapacity' && position === 1 && holders.join(' ') === 'b',
      );
      assert.ok(!waiting.isOver());
      // From now on it may leave.
      await scene.edit('first', [preset('b', { autoload: false })]);
      assert.equal((await waiting.reply).text, '{"success":true,"outcome":"loaded"}');
      await untilSaid(other, 'a', ({ phase }) => phase === 'ready');
      await untilSaid(other, 'b', (status) => status.phase === 'unloaded' && status.expected_load_ms !== undefined);

      const unloaded = await order(other, 'unload', 'a', '?wait=true');
      assert.deepEqual([unloaded.status, unloaded.text], [200, '{"success":true,"outcome":"unloaded"}']);
      // Asked, and not watched: the answer may be there before a watch has told of the end of the pod.
      const pods = await scene.corral.cluster.api.list(`/api/v1/namespaces/${scene.namespace}/pods`);
      assert.deepEqual(
        pods.map(({ metadata }) => metadata.name),
        [],
      );
    }),
  );
});
