import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyBytes } from './body-bytes.ts';

/** The sizes of the buffers that hold a body whose pieces have these sizes. */
function rooms(expected: number, pieces: readonly number[]): number[] {
  const body = new BodyBytes(expected);
  return pieces.map((size) => {
    body.add(Buffer.alloc(size, 'x'));
    return body.bytes.length;
  });
}

test('the pieces of a body stand one after the other', () => {
  const body = new BodyBytes(9);
  for (const piece of ['a', 'bcd', '', 'efghi']) body.add(Buffer.from(piece));
  assert.equal(body.whole().toString(), 'abcdefghi');
  assert.equal(body.size, 9);
});

test('a body that comes in one piece takes what it needs', () => {
  assert.deepEqual(rooms(1200, [1200]), [1200]);
});

test('a client that announces much gets room as it sends', () => {
  assert.deepEqual(rooms(1_000_000, [10, 10, 141, 2400]), [160, 160, 2576, 2576]);
  assert.deepEqual(rooms(50, [20, 10]), [50, 50]);
});

test('more than was announced is held too', () => {
  assert.deepEqual(rooms(5, [4, 4]), [5, 8]);
});
