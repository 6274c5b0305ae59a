import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetUid } from '../domain/ids.ts';
import { HoldQueue, type Held } from './hold-queue.ts';

const A = presetUid('a');
const B = presetUid('b');

/** A held request that writes down what happens to it, and does something then. */
const heldAs = (name: string, seen: string[], then: () => void = () => undefined): Held => ({
  reconsider: () => {
    seen.push(name);
    then();
  },
  turnAway: () => {
    seen.push(`${name} away`);
    then();
  },
});

test('requests are visited in the order in which they joined', () => {
  const queue = new HoldQueue();
  const seen: string[] = [];
  for (const name of ['1', '2', '3']) queue.join(A, heldAs(name, seen));
  queue.join(B, heldAs('b', seen));
  queue.reconsiderAll();
  assert.deepEqual(seen, ['1', '2', '3', 'b']);
});

test('who has left is visited no more, and an empty line is no line', () => {
  const queue = new HoldQueue();
  const seen: string[] = [];
  const held = heldAs('1', seen);
  queue.join(A, held);
  assert.equal(queue.presets, 1);
  queue.leave(A, held);
  assert.equal(queue.presets, 0);
  queue.reconsiderAll();
  assert.deepEqual(seen, []);
});

test('leaving a line that one is not in changes nothing and makes no line', () => {
  const queue = new HoldQueue();
  const seen: string[] = [];
  queue.join(A, heldAs('1', seen));
  queue.leave(A, heldAs('2', seen));
  queue.leave(B, heldAs('3', seen));
  assert.equal(queue.presets, 1);
  queue.reconsiderAll();
  assert.deepEqual(seen, ['1']);
});

test('one that leaves while all are visited is left out, and one that is taken out by another too', () => {
  const queue = new HoldQueue();
  const seen: string[] = [];
  const second = heldAs('2', seen);
  const first = heldAs('1', seen, () => {
    queue.leave(A, first);
    queue.leave(A, second);
  });
  for (const held of [first, second, heldAs('3', seen)]) queue.join(A, held);
  queue.reconsiderAll();
  assert.deepEqual(seen, ['1', '3']);
});

test('all are turned away once', () => {
  const queue = new HoldQueue();
  const seen: string[] = [];
  const one = heldAs('1', seen, () => {
    queue.leave(A, one);
  });
  queue.join(A, one);
  queue.turnAllAway();
  queue.turnAllAway();
  assert.deepEqual(seen, ['1 away']);
});
