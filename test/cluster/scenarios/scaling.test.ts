import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { GROUP, SYSTEM } from '../support/corral-names.ts';
import { ask, contentOf } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { startTraffic } from '../support/traffic.ts';
import { fieldAt } from '../support/field-at.ts';

/** Tokens of a stream that takes a second or more. */
const LONG = 600;

/** Where an edge has requests in flight, by the uids of pods. */
function busyPods(report: ApiObject | undefined): readonly string[] {
  const replicas = fieldAt(report, 'report', 'replicas');
  return Array.isArray(replicas) ? replicas.map((replica: { readonly podUid: string }) => replica.podUid) : [];
}

describe('a model that may have two pods', { timeout: 180_000 }, () => {
  it(
    'gets the second under load, both answer, and the one that is not needed leaves for another model; nothing is cut',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 2 } });
      const many = {
        name: 'slow',
        source: { path: '/models/slow.gguf' },
        scaling: { maxReplicas: 2, targetInFlight: 1 },
      };
      await scene.apply('models', pool, [many, { name: 'other', source: { path: '/models/a.gguf' } }]);

      const traffic = startTraffic(scene.url, 'slow');
      const first = await scene.readyPod('slow');
      const second = await scene.readyPod('slow', first);
      const { pod: edge } = await scene.corral.edge();
      const reports = `${GROUP}/namespaces/${SYSTEM}/edgereports`;
      const both = [first, second].map(({ metadata }) => metadata.uid);
      await scene.corral.cluster.api.until(reports, edge.metadata.name, (report) =>
        both.every((uid) => busyPods(report).includes(uid)),
      );
      assert.equal(new Set(await traffic.stop()).size, 1);

      const stream = await startStream(scene, 'slow', LONG);
      contentOf(await ask(scene.url, 'other'));
      await assertWhole(stream.whole, 'slow', LONG);
      const left = scene.pods.events.filter(({ kind }) => kind === 'gone').map(({ pod }) => pod.metadata.uid);
      assert.ok(left.length === 1 && both.some((uid) => left.includes(uid)), left.join());
      contentOf(await ask(scene.url, 'slow'));
    }),
  );
});
