import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Rounding, parseQuantity, readQuantities } from './quantity.ts';

test('every suffix is read as thousandths', () => {
  const cases: readonly (readonly [string | number, number])[] = [
    ...([
      [0, 0],
      [4, 4000],
      ['4', 4000],
      ['0.5', 500],
      ['1.25', 1250],
      ['500m', 500],
    ] as const),
    ...([
      ['3k', 3e6],
      ['2M', 2e9],
      ['2G', 2e12],
      ['1T', 1e15],
      ['2P', 2e18],
      ['1E', 1e21],
    ] as const),
    ...([
      ['1Ki', 1_024_000],
      ['1.5Mi', 1.5 * 2 ** 20 * 1000],
      ['9Gi', 9 * 2 ** 30 * 1000],
    ] as const),
    ...([
      ['16Ti', 2 ** 44 * 1000],
      ['1Pi', 2 ** 50 * 1000],
      ['1Ei', 2 ** 60 * 1000],
    ] as const),
    ...([
      ['1e3', 1e6],
      ['1E3', 1e6],
      ['1.5e+2', 150_000],
      ['5e-1', 500],
      ['1000000n', 1],
      ['1000u', 1],
    ] as const),
  ];
  for (const [quantity, thousandths] of cases) {
    for (const round of ['up', 'down'] as const)
      assert.equal(parseQuantity(quantity, round), thousandths, String(quantity));
  }
});

test('what lies between two numbers is rounded to the side that was asked for', () => {
  assert.deepEqual([parseQuantity('1n'), parseQuantity('1n', 'down')], [1, 0]);
  assert.deepEqual([parseQuantity('0.0001'), parseQuantity('0.0019', 'down')], [1, 1]);
  assert.deepEqual([parseQuantity('1e-99'), parseQuantity('0e-99')], [1, 0]);
  const [large, exact] = ['9007199254740993m', 9_007_199_254_740_992];
  assert.deepEqual([parseQuantity(large, 'down'), parseQuantity(large, 'up')], [exact, exact + 2]);
});

test('what is no quantity, or below zero, is none', () => {
  for (const text of [
    '',
    '-1',
    '-1Gi',
    '+1',
    '1 Gi',
    '.5',
    '1.',
    'Gi',
    '1gi',
    '1K',
    '1kk',
    '1e',
    '1e333',
    '1.5.1',
    -1,
  ]) {
    assert.equal(parseQuantity(text), undefined, String(text));
  }
});

test('a larger number is never read as less, and rounding up is never below rounding down', () => {
  const suffix = fc.constantFrom('n', 'u', 'm', '', 'k', 'G', 'E', 'Ki', 'Gi', 'Ei', 'e7', 'e-7');
  const digits = fc.bigInt({ min: 0n, max: 10n ** 24n });
  fc.assert(
    fc.property(digits, digits, suffix, (a, b, unit) => {
      const read = (value: bigint, round: Rounding): number => {
        const amount = parseQuantity(`${value}${unit}`, round);
        assert.ok(amount !== undefined);
        return amount;
      };
      const [less, more] = a < b ? [a, b] : [b, a];
      for (const round of ['up', 'down'] as const) assert.ok(read(less, round) <= read(more, round));
      assert.ok(read(a, 'down') <= read(a, 'up'));
    }),
  );
});

test('a map of quantities is read by name, and a name that objects inherit is one like others', () => {
  const quantities = { vram: '9Gi', constructor: 1 };
  assert.deepEqual(
    [...readQuantities(quantities, 'up')],
    [
      ['vram', 9 * 2 ** 30 * 1000],
      ['constructor', 1000],
    ],
  );
  assert.throws(() => readQuantities({ vram: '-1' }, 'up'), /unchecked quantity -1/u);
});
