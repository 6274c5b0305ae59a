import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../../domain/json.ts';
import { instant } from '../../domain/units.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { aModelPod } from '../../testing/cluster-objects.ts';
import { PodBook } from './pod-book.ts';

const REF = { namespace: 'ml', name: 'a-0' };

/** A pod of the name, of one life. */
function life(uid: string): KubeObject {
  const { metadata, ...pod } = aModelPod('a');
  const known = { creationTimestamp: '', resourceVersion: '1' };
  return { ...pod, metadata: { ...known, ...(metadata as JsonObject), ...REF, uid } };
}

const look = (book: PodBook, ...pods: readonly KubeObject[]): void => {
  book.look(pods, instant(0), () => false);
};

describe('the book of pods', () => {
  it('finds by name the pod that is seen, before one of the same name that is not seen any more', () => {
    const book = new PodBook();
    look(book, life('first'));
    assert.equal(book.findNamed(REF)?.pod.uid, 'first');
    look(book, life('second'));
    assert.equal(book.find('first')?.lostSince, instant(0));
    assert.equal(book.findNamed(REF)?.pod.uid, 'second');
    book.letGo('second');
    assert.equal(book.findNamed(REF)?.pod.uid, 'first');
    book.letGo('first');
    assert.equal(book.findNamed(REF), undefined);
  });
  it('finds nothing under the same name elsewhere', () => {
    const book = new PodBook();
    look(book, life('first'));
    assert.equal(book.findNamed({ ...REF, namespace: 'other' }), undefined);
  });
});
