import assert from 'node:assert/strict';
import { test } from 'node:test';
import Type from 'typebox';
import { checkObject } from './check-object.ts';
import { formatField } from './field-path.ts';
import { textRule } from './manifest-rule.ts';
import { SET, list, mapBy, object, text } from './schema-kit.ts';

const noX = textRule(
  { cel: "!self.contains('x')", message: 'must not hold x', fix: 'Leave it out.' },
  (it) => !it.includes('x'),
);
const item = object('An item.', { name: text('a name', 'Its name.', { maxLength: 3, rules: [noX] }) });
const schema = object('Anything.', {
  items: Type.Optional(list('Items.', item, 5, mapBy('name'))),
  words: Type.Optional(list('Words.', text('a word', 'A word.'), 5, SET)),
});

const check = (value: unknown): string[] =>
  checkObject(value, schema).map(({ path, at, reason, fix }) =>
    `${at} ${formatField(path)}: ${reason}. ${fix ?? ''}`.trim(),
  );

test('an object without a fault has none', () => {
  assert.deepEqual(check({ items: [{ name: 'a' }, { name: 'b' }], words: ['a', 'b'] }), []);
});

test('a rule is told with its fix, at the value that breaks it', () => {
  assert.deepEqual(check({ items: [{ name: 'a' }, { name: 'ax' }] }), [
    'value items[1].name: must not hold x. Leave it out.',
  ]);
});

test('length is counted in code points, as an API server counts it', () => {
  assert.deepEqual(check({ items: [{ name: '😀😀😀' }] }), []);
  // Two letters for a reader, four code points.
  assert.deepEqual(check({ items: [{ name: 'e\u0301e\u0301' }] }), [
    'value items[0].name: must be a name, not "e\u0301e\u0301".',
  ]);
});

test('an item of a map or a set that is there twice is told where it stands again', () => {
  assert.deepEqual(check({ items: [{ name: 'a' }, { name: 'b' }, { name: 'a' }], words: ['c', 'c'] }), [
    'value words[1]: words[0] has this value already. Rename or remove one.',
    'value items[2].name: items[0] has this name already. Rename or remove one.',
  ]);
});

test('an unknown field is told by its name, a missing one by what it must be', () => {
  assert.deepEqual(check({ itms: [] }), ['name itms: there is no such field. Did you mean items?']);
  assert.deepEqual(check({ items: [{}] }), ['value items[0].name: the field is missing. It must be a name.']);
});

test('what is not there at all is told like what is empty', () => {
  assert.deepEqual(check(undefined), ['value : must be an object, and is missing.']);
  assert.deepEqual(check(null), ['value : must be an object, not empty.']);
});

test('whatever has another type than the rules expect is a fault and no exception', () => {
  for (const strange of [
    undefined,
    null,
    5,
    [],
    'text',
    { items: { name: 'x' } },
    { items: [null] },
    { items: [{ name: ['x'] }] },
  ]) {
    assert.notDeepEqual(check(strange), [], JSON.stringify(strange));
  }
});
