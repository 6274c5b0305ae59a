import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../testing/seed.ts';
import { parseQuantity } from '../quantity.ts';
import { describeAmount, formatAmount } from './amount-text.ts';

const GI = 2 ** 30 * 1000;

describe('an amount', () => {
  it('is written as a quantity that says exactly the same', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(63), (thousandths, shift) => {
        const larger = thousandths * 2 ** shift;
        for (const amount of [thousandths, larger]) assert.equal(parseQuantity(formatAmount(amount)), amount);
      }),
      { seed: testSeed() },
    );
  });
  it('is written in the largest binary unit of which it is a whole number', () => {
    const written = [0, 1000, 500, 1024_000, 9 * GI, 9.5 * GI, 2 ** 60 * 1000].map(formatAmount);
    assert.deepEqual(written, ['0', '1', '500m', '1Ki', '9Gi', '9728Mi', '1Ei']);
  });
  it('is told to people in a few digits', () => {
    const told = [0, 1000, 500, 4_000_000, 12.37 * GI, 24 * GI, 1.5 * 1024 * GI].map(describeAmount);
    assert.deepEqual(told, ['0', '1', '0.5', '4000', '12.4Gi', '24Gi', '1.5Ti']);
  });
});
