import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessOf, FULL_ACCESS, NO_ACCESS } from './access.ts';

test('a key sees the models that one of its patterns takes, and all with a single star', () => {
  const some = accessOf({ models: ['team/*', 'shared'], operations: ['infer'] });
  assert.deepEqual(
    ['team/a', 'shared', 'shared-2', 'other/a', ''].map((model) => some.sees(model)),
    [true, true, false, false, false],
  );
  assert.equal(some.seesAll, false);
  const all = accessOf({ models: ['x', '*'], operations: ['infer'] });
  assert.deepEqual([all.sees('anything'), all.seesAll], [true, true]);
  assert.equal(accessOf({ models: ['**'], operations: ['infer'] }).sees('anything'), true);
});

test('a key may do what it names and nothing else', () => {
  const may = (...operations: ('infer' | 'models:manage')[]): boolean[] => {
    const access = accessOf({ models: ['*'], operations });
    return [access.may('infer'), access.may('models:manage')];
  };
  assert.deepEqual(may('infer'), [true, false]);
  assert.deepEqual(may('models:manage'), [false, true]);
  assert.deepEqual(may('infer', 'models:manage'), [true, true]);
});

test('where there are no keys all is allowed, and before anybody has asked nothing is', () => {
  assert.deepEqual([FULL_ACCESS.may('models:manage'), FULL_ACCESS.sees('a'), FULL_ACCESS.seesAll], [true, true, true]);
  assert.deepEqual([NO_ACCESS.may('infer'), NO_ACCESS.sees('a'), NO_ACCESS.seesAll], [false, false, false]);
});
