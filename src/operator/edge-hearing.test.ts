import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../domain/units.ts';
import { isUnheard, silenceAfter, type Silence } from './edge-hearing.ts';

/** Lists that are answered at once, at these seconds, while the last word of an edge is the one of `heardAt`. */
function silence(heardAt: number, lists: readonly number[], before?: Silence): Silence | undefined {
  return lists.reduce<Silence | undefined>((row, at) => {
    const moment = instant(at * 1000);
    return silenceAfter(row, instant(heardAt * 1000), { askedAt: moment, answeredAt: moment });
  }, before);
}

const isUnheardAfter = (heardAt: number, lists: readonly number[], before?: Silence): boolean => {
  const row = silence(heardAt, lists, before);
  return row !== undefined && isUnheard(row);
};

test('an edge is not heard of when it has left out three reports, and lists have shown that all the time', () => {
  assert.equal(isUnheardAfter(0, [20, 25, 30, 35, 40]), false);
  assert.equal(isUnheardAfter(0, [20, 25, 30, 35, 40, 44.9]), false);
  assert.equal(isUnheardAfter(0, [20, 25, 30, 35, 40, 45]), true);
});

test('a time without an answered list counts for nothing, however long it is', () => {
  assert.equal(isUnheardAfter(0, [3_600]), false);
  assert.equal(isUnheardAfter(0, [20, 3_600, 3_620, 3_640]), false);
  assert.equal(isUnheardAfter(0, [20, 3_600, 3_620, 3_640, 3_645]), true);
});

test('a new word begins anew', () => {
  const before = silence(0, [20, 40]);
  assert.equal(isUnheardAfter(41, [61, 81], before), false);
  assert.equal(isUnheardAfter(41, [61, 81, 86], before), true);
});
