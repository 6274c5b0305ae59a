import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiObject } from '../support/api-client.ts';
import { contentOf, startAsking } from '../support/edge-client.ts';
import { isClosed } from '../support/pod-gate.ts';
import { inCluster } from '../support/in-cluster.ts';
import { isReady } from '../support/test-cluster.ts';
import { textAt } from '../support/field-at.ts';

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

/** What a pod's object says of itself, in the order in which that can come. */
function stepOf(pod: ApiObject): string {
  const { metadata } = pod;
  if (metadata.deletionTimestamp !== undefined) return 'ending';
  if (isClosed(metadata)) return 'closed';
  if (isReady(pod)) return 'ready';
  return textAt(pod, 'spec', 'nodeName') === undefined ? 'created' : 'scheduled';
}

describe('a model of a cluster', { timeout: 180_000 }, () => {
  it(
    'is not there until the first request, which is held while its pod is made, and is gone after its idle timeout',
    inCluster(async (scene) => {
      const pool = await scene.pool({ defaults: { pod: {} } });
      const persistentVolumeClaim = { claimName: await scene.claim(), path: 'a.gguf' };
      await scene.apply('one', pool, [
        { name: 'a', source: { persistentVolumeClaim }, scaling: { idleTimeout: '300ms' } },
      ]);
      assert.deepEqual(scene.pods.events, []);

      const asking = startAsking(scene.url, 'a');
      const { metadata } = await scene.pods.until('a pod', () => scene.pods.pods[0]);
      assert.ok(!asking.isOver(), 'there was an answer before there was a pod');
      contentOf(await asking.reply);

      await scene.pods.untilGone(metadata.uid);
      const steps = scene.pods.events.map(({ kind, pod }) => (kind === 'gone' ? kind : stepOf(pod)));
      const distinct = steps.filter((step, index) => step !== steps[index - 1]);
      assert.deepEqual(distinct, ['created', 'scheduled', 'ready', 'closed', 'ending', 'gone']);
      await scene.untilStatus('one', [['a', ({ phase }) => phase === 'Unloaded']]);
    }, RESTRICTED),
  );
});
