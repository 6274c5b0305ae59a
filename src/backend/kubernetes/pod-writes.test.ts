import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../domain/json.ts';
import { instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { aModelPod } from '../../testing/cluster-objects.ts';
import { startKube } from '../../testing/kube-testbed.ts';
import { PodBook } from './pod-book.ts';
import { PodWrites } from './pod-writes.ts';

const REF = { namespace: 'ml', name: 'a-0' };

/** A pod of the name, of one life. */
function life(uid: string): KubeObject {
  const { metadata, ...pod } = aModelPod('a');
  const known = { creationTimestamp: '', resourceVersion: '1' };
  return { ...pod, metadata: { ...known, ...(metadata as JsonObject), ...REF, uid } };
}

for (const { what, answer, gone } of [
  { what: 'nothing', answer: undefined, gone: ['lost', 'first'] },
  { what: 'the pod that is known', answer: life('first'), gone: ['lost'] },
  { what: 'another pod', answer: life('other'), gone: ['lost', 'first'] },
])
  test(`what was known under a name is gone where ${what} is read, and a pod that came while the answer was on its way is not`, async (t) => {
    const { api } = await startKube(t);
    const { promise, resolve } = Promise.withResolvers<KubeObject | undefined>();
    const late: KubeApi = Object.assign(Object.create(api) as KubeApi, { get: async () => promise });
    const objects = [life('first')];
    const absorbed: string[] = [];
    const book = new PodBook();
    const look = (): void => {
      book.look(objects, instant(0), () => false);
    };
    book.look([life('lost')], instant(0), () => false);
    look();
    const cache = {
      objects: () => objects,
      absorb: () => undefined,
      absorbDeletion: (uid: string) => absorbed.push(uid),
    };
    const read = new PodWrites(late, cache, book).readBack(REF);
    objects.push(life('new'));
    look();
    resolve(answer);
    await read;
    assert.deepEqual(absorbed.toSorted(), gone.toSorted());
    assert.deepEqual(
      ['lost', 'first', 'new'].filter((uid) => book.find(uid) !== undefined),
      ['lost', 'first', 'new'].filter((uid) => !gone.includes(uid)),
    );
  });
