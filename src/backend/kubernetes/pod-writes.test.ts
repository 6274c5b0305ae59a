import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { aLife, LIVES } from '../../testing/cluster-objects.ts';
import { startKube } from '../../testing/kube-testbed.ts';
import { PodBook } from './pod-book.ts';
import { PodWrites } from './pod-writes.ts';

for (const { what, answer, gone } of [
  { what: 'nothing', answer: undefined, gone: ['lost', 'first'] },
  { what: 'the pod that is known', answer: aLife('first'), gone: ['lost'] },
  { what: 'another pod', answer: aLife('other'), gone: ['lost', 'first'] },
])
  test(`what was known under a name is gone where ${what} is read, and a pod that came while the answer was on its way is not`, async (t) => {
    const { api } = await startKube(t);
    const { promise, resolve } = Promise.withResolvers<KubeObject | undefined>();
    const late: KubeApi = Object.assign(Object.create(api) as KubeApi, { get: async () => promise });
    const objects = [aLife('first')];
    const absorbed: string[] = [];
    const book = new PodBook();
    const look = (): void => {
      book.look(objects, instant(0), () => false);
    };
    book.look([aLife('lost')], instant(0), () => false);
    look();
    const cache = {
      objects: () => objects,
      absorb: () => undefined,
      absorbDeletion: (uid: string) => absorbed.push(uid),
    };
    const read = new PodWrites(late, cache, book).readBack(LIVES);
    objects.push(aLife('new'));
    look();
    resolve(answer);
    await read;
    assert.deepEqual(absorbed.toSorted(), gone.toSorted());
    assert.deepEqual(
      ['lost', 'first', 'new'].filter((uid) => book.find(uid) !== undefined),
      ['lost', 'first', 'new'].filter((uid) => !gone.includes(uid)),
    );
  });
