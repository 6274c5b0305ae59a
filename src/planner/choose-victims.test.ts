import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseVictims } from './choose-victims.ts';

const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);
const choose = (sizes: readonly number[], need: number): readonly number[] | undefined =>
  chooseVictims(sizes, (some) => sum(some) >= need);

describe('the victims', () => {
  it('are taken in their order until they are enough', () => {
    assert.deepEqual(choose([1, 2, 4, 8], 3), [1, 2]);
    assert.deepEqual(choose([4, 2, 1], 4), [4]);
  });
  it('are spared where they turn out not to be needed, the last one before first', () => {
    assert.deepEqual(choose([1, 2, 3], 4), [1, 3]);
    assert.deepEqual(choose([1, 1, 1, 4], 4), [4]);
  });
  it('are none where all together are not enough, or there is nobody', () => {
    assert.equal(choose([1, 2], 4), undefined);
    assert.equal(choose([], 1), undefined);
  });
});
