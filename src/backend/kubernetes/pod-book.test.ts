import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instant } from '../../domain/units.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { aLife, LIVES } from '../../testing/cluster-objects.ts';
import { PodBook } from './pod-book.ts';

const look = (book: PodBook, ...pods: readonly KubeObject[]): void => {
  book.look(pods, instant(0), () => false);
};

describe('the book of pods', () => {
  it('finds by name the pod that is seen, before one of the same name that is not seen any more', () => {
    const book = new PodBook();
    look(book, aLife('first'));
    assert.equal(book.findNamed(LIVES)?.pod.uid, 'first');
    look(book, aLife('second'));
    assert.equal(book.find('first')?.lostSince, instant(0));
    assert.equal(book.findNamed(LIVES)?.pod.uid, 'second');
    book.letGo('second');
    assert.equal(book.findNamed(LIVES)?.pod.uid, 'first');
    book.letGo('first');
    assert.equal(book.findNamed(LIVES), undefined);
  });
  it('finds nothing under the same name elsewhere', () => {
    const book = new PodBook();
    look(book, aLife('first'));
    assert.equal(book.findNamed({ ...LIVES, namespace: 'other' }), undefined);
  });
});
