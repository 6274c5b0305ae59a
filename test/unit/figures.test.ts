import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { percentile, renderTable, spreadOf } from '../support/figures.ts';

describe('a percentile', () => {
  it('is a value that was measured, and that the share of them does not exceed', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    const shares = fc.double({ min: 0, max: 1, minExcluded: true, noNaN: true });
    fc.assert(
      fc.property(values, shares, (measured, share) => {
        const found = percentile(measured, share);
        assert.ok(measured.includes(found));
        assert.ok(measured.filter((value) => value <= found).length >= share * measured.length);
        assert.ok(measured.filter((value) => value < found).length < share * measured.length);
      }),
    );
  });
  it('of 1 to 100 is its own number', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => percentile(hundred, share)),
      [50, 99, 100],
    );
    assert.deepEqual(spreadOf(hundred), { min: 1, median: 50, max: 100 });
  });
  it('of nothing is refused: it is not 0', () => {
    assert.throws(() => percentile([], 0.5), RangeError);
    assert.throws(() => spreadOf([]), RangeError);
  });
});

describe('a table', () => {
  it('has its numbers to the right', () => {
    const text = renderTable(['what', 'ms'], [['swap', '12.5'], ['cold']]);
    assert.equal(text, '| what |   ms |\n| ---- | ---: |\n| swap | 12.5 |\n| cold |      |\n');
  });
});
