import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { ask, contentOf, errorOf, startAsking } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { standStill } from '../support/pod-process.ts';
import type { PresetSpec } from '../support/scene.ts';

/** Tokens of a stream that takes a second or more. */
const LONG = 600;

const preset = (name: string, file = name): PresetSpec => ({ name, source: { path: `/models/${file}.gguf` } });

const ownerOf = ({ metadata }: ApiObject): unknown =>
  (metadata as { readonly ownerReferences?: readonly { readonly uid: string }[] }).ownerReferences?.[0]?.uid;

describe('what somebody deletes', { timeout: 180_000 }, () => {
  it(
    'a ModelDeployment that a request waits for: 404 at once, and the pod goes',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { unschedulableAfter: '10m' } });
      const nowhere = { nodeSelector: { 'corral.test/node': 'none' } };
      await scene.apply('waited-for', pool, [{ ...preset('a'), pod: nowhere }]);
      const asking = startAsking(scene.url, 'a');
      await scene.pods.until('a pod', () => scene.pods.pods[0]);
      assert.ok(!asking.isOver());

      await scene.remove('waited-for');
      const reply = await asking.reply;
      assert.equal(reply.status, 404);
      assert.equal(errorOf(reply).code, 'model_not_found');
      await scene.pods.untilEmpty();
      // Kubernetes may remove the pod before the operator hears that its owner is gone.
      assert.equal(scene.pods.events.filter(({ kind }) => kind === 'created').length, 1, scene.pods.describe());
      assert.equal((await ask(scene.url, 'a')).status, 404);
    }),
  );

  it(
    'a ModelDeployment that is made anew under its name: another life, and a stream of the old one ends whole',
    inCluster(async (scene) => {
      const pool = await scene.pool();
      const { metadata: first } = await scene.apply('again', pool, [preset('model', 'slow')]);
      const before = contentOf(await ask(scene.url, 'model'));
      const old = await scene.readyPod('model');
      const stream = await startStream(scene, 'model', LONG);

      await scene.remove('again');
      const { metadata: second } = await scene.apply('again', pool, [preset('model', 'b')]);
      assert.notEqual(first.uid, second.uid);
      const after = contentOf(await ask(scene.url, 'model'));
      assert.notEqual(before, after);
      const fresh = await scene.readyPod('model', old);
      assert.deepEqual([old, fresh].map(ownerOf), [first.uid, second.uid]);
      await assertWhole(stream.whole, 'model', LONG);
      await scene.pods.untilGone(old.metadata.uid);
    }),
  );

  it(
    'the pod of a model in use: its stream ends whole, and the next request gets another pod',
    inCluster(async (scene) => {
      const pool = await scene.pool();
      await scene.apply('in-use', pool, [preset('slow')]);
      const said = contentOf(await ask(scene.url, 'slow'));
      const old = await scene.readyPod('slow');
      const stream = await startStream(scene, 'slow', LONG);
      const resume = standStill(scene.t, old);

      await scene.corral.cluster.api.call('DELETE', `/api/v1/namespaces/${scene.namespace}/pods/${old.metadata.name}`);
      await scene.pods.until('the deletion', () =>
        scene.pods.pods.find(({ metadata }) => metadata.deletionTimestamp !== undefined),
      );
      assert.ok(!stream.isOver(), 'the stream was too short to be cut');
      resume();
      // Until the edge has seen the deletion too, a request may still go to the old pod: it is answered as well.
      do assert.equal(contentOf(await ask(scene.url, 'slow')), said);
      while (scene.pods.events.filter(({ kind }) => kind === 'created').length === 1);
      await scene.readyPod('slow', old);
      await assertWhole(stream.whole, 'slow', LONG);
      await scene.pods.untilGone(old.metadata.uid);
    }),
  );
});
