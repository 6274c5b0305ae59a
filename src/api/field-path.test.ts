import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatField, formatPattern, parsePointer, readMember, readPath, walk } from './field-path.ts';

const root = { spec: { presets: [{ 'a/b~c': 1 }], 7: 'seven' } };

test('a path is written as people write it, and its pattern without indexes', () => {
  const path = ['spec', 'presets', 2, 'args', 0];
  assert.equal(formatField(path), 'spec.presets[2].args[0]');
  assert.equal(formatPattern(path), 'spec.presets[].args[]');
});

test('a pointer is read with its escapes, and a number is an index in lists only', () => {
  assert.deepEqual(parsePointer('/spec/presets/0/a~1b~0c', root), ['spec', 'presets', 0, 'a/b~c']);
  assert.deepEqual(parsePointer('/spec/7', root), ['spec', '7']);
  assert.deepEqual(parsePointer('', root), []);
});

test('only what a value has itself is found in it', () => {
  assert.equal(readPath(root, ['spec', 'presets', 0, 'a/b~c']), 1);
  for (const key of ['constructor', '__proto__', 'toString']) assert.equal(readMember(root, key), undefined, key);
  assert.equal(readMember(undefined, 'a'), undefined);
  assert.equal(readMember('text', 'length'), undefined);
});

test('a walk meets every value once, parents first', () => {
  assert.deepEqual(
    [...walk({ a: [1, { b: 2 }] })].map(({ path }) => formatField(path)),
    ['', 'a', 'a[0]', 'a[1]', 'a[1].b'],
  );
});
