import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNearest, suggest } from './nearest.ts';

const words = ['ctx-size', 'threads', 'model', 'mmproj'];

test('the nearest name is found across a dropped, an added, a wrong and two swapped letters', () => {
  for (const typo of ['ctx-sze', 'ctx-sizee', 'ctx-zize', 'ctx-siez'])
    assert.equal(findNearest(typo, words), 'ctx-size');
  assert.equal(findNearest('modle', words), 'model');
});

test('a word that resembles none gets no suggestion', () => {
  assert.equal(findNearest('banana', words), undefined);
  assert.equal(findNearest('', words), undefined);
  assert.deepEqual(suggest('xyz', words), {});
});
