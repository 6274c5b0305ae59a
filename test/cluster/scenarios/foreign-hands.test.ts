import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { ask, contentOf, errorOf } from '../support/edge-client.ts';
import { isClosed } from '../support/pod-gate.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';

/** Tokens of a stream that takes a second or more. */
const LONG = 600;

const preset = (name: string, file = name): PresetSpec => ({ name, source: { path: `/models/${file}.gguf` } });

const patch = async ({ corral, namespace }: Scene, pod: ApiObject, metadata: object): Promise<unknown> =>
  corral.cluster.api.call('PATCH', `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`, { metadata });

const created = ({ pods }: Scene): number => pods.events.filter(({ kind }) => kind === 'created').length;

const now = ({ pods }: Scene, { metadata }: ApiObject): ApiObject | undefined =>
  pods.pods.find((pod) => pod.metadata.uid === metadata.uid);

const hadNoOwner = ({ pods }: Scene, { metadata }: ApiObject): boolean =>
  pods.events.some(({ pod }) => pod.metadata.uid === metadata.uid && pod.metadata.ownerReferences === undefined);

describe('what others do to the pods', { timeout: 180_000 }, () => {
  it(
    'taking the labels away by which they are followed: they get them back, and a stream ends whole',
    inCluster(async (scene) => {
      await scene.apply('labels', await scene.pool(), [preset('slow')]);
      const said = contentOf(await ask(scene.url, 'slow'));
      const pod = await scene.readyPod('slow');
      const stream = await startStream(scene, 'slow', LONG);
      const gone = Object.fromEntries(Object.keys(pod.metadata.labels ?? {}).map((key) => [key, null]));
      await patch(scene, pod, { labels: gone, annotations: { 'corral.dev/pool': null } });
      await scene.pods.until('what was taken is back', () =>
        now(scene, pod)?.metadata.annotations?.['corral.dev/pool'] === undefined ? undefined : true,
      );
      assert.deepEqual(now(scene, pod)?.metadata.labels, pod.metadata.labels);
      assert.equal(contentOf(await ask(scene.url, 'slow')), said);
      await assertWhole(stream.whole, 'slow', LONG);
      assert.equal(created(scene), 1);
    }),
  );

  it(
    'taking the owner away: it is put back, the pod is no other one’s meanwhile, and a stream ends whole',
    inCluster(async (scene) => {
      await scene.apply('owner', await scene.pool(), [preset('slow')]);
      const said = contentOf(await ask(scene.url, 'slow'));
      const pod = await scene.readyPod('slow');
      const stream = await startStream(scene, 'slow', LONG);
      await patch(scene, pod, { ownerReferences: null });
      await scene.pods.until('it has no owner', () => (hadNoOwner(scene, pod) ? true : undefined));
      await scene.pods.until('its owner is back', () =>
        now(scene, pod)?.metadata.ownerReferences === undefined ? undefined : true,
      );
      assert.deepEqual(now(scene, pod)?.metadata.ownerReferences, pod.metadata.ownerReferences);
      assert.equal(contentOf(await ask(scene.url, 'slow')), said);
      await assertWhole(stream.whole, 'slow', LONG);
      assert.equal(created(scene), 1);
    }),
  );

  it(
    'deleting a ModelDeployment with --cascade=orphan: its pod goes on, is nobody’s, and holds no place of the pool',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 1 } });
      await scene.apply('kept', pool, [preset('a')]);
      contentOf(await ask(scene.url, 'a'));
      const pod = await scene.readyPod('a');
      const { cluster } = scene.corral;
      const inOurs = ['--namespace', scene.namespace];
      await cluster.kubectl([...inOurs, 'delete', 'modeldeployments.corral.dev', 'kept', '--cascade=orphan']);
      await scene.apply('next', pool, [preset('b')]);
      assert.equal(errorOf(await ask(scene.url, 'a')).code, 'model_not_found');
      contentOf(await ask(scene.url, 'b'));
      const left = now(scene, pod)?.metadata;
      assert.deepEqual([left?.deletionTimestamp, left !== undefined && isClosed(left)], [undefined, false]);
      await cluster.kubectl([...inOurs, 'delete', 'pod', pod.metadata.name, '--grace-period=1', '--wait=false']);
      await scene.pods.untilGone(pod.metadata.uid);
    }),
  );
});
