import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { comingsAndGoings } from '../support/comings-and-goings.ts';
import { GROUP } from '../support/corral-names.ts';
import { ask, contentOf, startAsking } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { standStill } from '../support/pod-process.ts';
import type { PresetSpec } from '../support/scene.ts';
import { fieldAt } from '../support/field-at.ts';

const GPU = 'example.com/gpu';
const POOLS = `${GROUP}/modelpools`;
/** Tokens of a stream that takes a second or more. */
const LONG = 600;

const preset = (name: string): PresetSpec => ({ name, source: { path: `/models/${name}.gguf` } });

const onGpu = (name: string): PresetSpec => ({ ...preset(name), resources: { limits: { [GPU]: 1 } } });

const capacityOf = (pool: ApiObject | undefined): unknown => fieldAt(pool, 'status', 'capacity');

describe('two models in a pool for one', { timeout: 180_000 }, () => {
  it(
    'take turns at each request, the old pod gone before the new one exists',
    inCluster(async (scene) => {
      await scene.corral.cluster.setCapacity(GPU, 1);
      const pool = await scene.pool({ capacity: { maxLoaded: 1 } });
      await scene.apply('first', pool, [onGpu('a')]);
      await scene.apply('second', pool, [onGpu('b')]);

      const a = contentOf(await ask(scene.url, 'a'));
      const b = contentOf(await ask(scene.url, 'b'));
      assert.notEqual(a, b);
      assert.equal(contentOf(await ask(scene.url, 'a')), a);

      const expected = ['a created', 'a gone', 'b created', 'b gone', 'a created'];
      await scene.pods.until('the last turn', () => (comingsAndGoings(scene.pods).length === 5 ? true : undefined));
      assert.deepEqual(comingsAndGoings(scene.pods), expected);
      await scene.untilStatus('second', [['b', ({ evictedFor }) => evictedFor?.includes('a') === true]]);
    }),
  );

  it(
    'do not cut each other: one in use finishes its stream before it leaves for one that has waited too long',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '200ms' } });
      await scene.apply('first', pool, [preset('slow')]);
      await scene.apply('second', pool, [preset('a')]);
      contentOf(await ask(scene.url, 'slow'));

      const stream = await startStream(scene, 'slow', LONG);
      const old = await scene.readyPod('slow');
      const resume = standStill(scene.t, old);
      const next = startAsking(scene.url, 'a');
      await scene.untilClosed(old);
      assert.ok(!stream.isOver(), 'the stream was too short to see a busy model drain');
      resume();
      await assertWhole(stream.whole, 'slow', LONG);
      contentOf(await next.reply);
      await scene.pods.until('both pods', () => (comingsAndGoings(scene.pods).length >= 3 ? true : undefined));
      assert.deepEqual(comingsAndGoings(scene.pods), ['slow created', 'slow gone', 'a created']);
    }),
  );
});

describe('models that do not fit into the resources of their pool together', { timeout: 180_000 }, () => {
  it(
    'take turns, the old pod gone before the new one exists, and leave alone what fits beside them',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { resources: { vram: '16Gi' } } });
      const taking = (name: string, file: string, vram: string): PresetSpec => ({
        ...preset(file),
        name,
        footprint: { vram },
      });
      await scene.apply('models', pool, [
        taking('small', 'a', '4Gi'),
        taking('one', 'a', '9Gi'),
        taking('two', 'b', '9Gi'),
      ]);
      contentOf(await ask(scene.url, 'small'));
      for (const model of ['one', 'two', 'one']) contentOf(await ask(scene.url, model));
      const turns = ['small created', 'one created', 'one gone', 'two created', 'two gone', 'one created'];
      assert.deepEqual(comingsAndGoings(scene.pods, 2), turns);
      await scene.corral.cluster.api.until(POOLS, pool, (object) => capacityOf(object) === 'vram 13Gi of 16Gi');
    }),
  );
});
