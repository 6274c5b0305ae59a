import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoize, memoizeWith } from './memoize.ts';

test('what is made of an object is made once, also where that is nothing', () => {
  let calls = 0;
  const made = memoize(({ value }: { value: number | undefined }) => {
    calls += 1;
    return value;
  });
  const [one, none] = [{ value: 1 }, { value: undefined }];
  assert.deepEqual([one, none, one, none].map(made), [1, undefined, 1, undefined]);
  assert.equal(calls, 2);
  assert.equal(made({ value: 1 }), 1);
  assert.equal(calls, 3);
});

test('what is made of an object and something else is made anew when that is another', () => {
  const calls: string[] = [];
  const made = memoizeWith(({ name }: { name: string }, other: string | undefined) => {
    calls.push(`${name} ${other}`);
    return calls.length;
  });
  const [a, b] = [{ name: 'a' }, { name: 'b' }];
  assert.deepEqual([made(a, 'x'), made(b, undefined), made(a, 'x'), made(b, undefined)], [1, 2, 1, 2]);
  assert.deepEqual([made(a, 'y'), made(a, 'y'), made(b, 'y'), made(a, 'x')], [3, 3, 4, 5]);
  assert.deepEqual(calls, ['a x', 'b undefined', 'a y', 'b y', 'a x']);
});
