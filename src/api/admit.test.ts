import assert from 'node:assert/strict';
import { test } from 'node:test';
import Type from 'typebox';
import { admit } from './admit.ts';
import { mapOf, object, text } from './schema-kit.ts';

const schema = object('Anything.', {
  given: Type.Optional(text('a text', 'A text.')),
  set: Type.Optional(text('a text', 'A text with a default.', { default: 'x' })),
  inner: Type.Optional(object('An object.', { set: Type.Optional(text('a text', 'A text.', { default: 'y' })) })),
  filled: Type.Optional(
    object('An object.', { set: Type.Optional(text('a text', 'A text.', { default: 'z' })) }, { default: {} }),
  ),
  map: Type.Optional(mapOf('a map', 'A map.', Type.String())),
  list: Type.Optional(Type.Array(Type.String())),
});

test('a field without a value is left out, and a missing one gets its default', () => {
  assert.deepEqual(admit(schema, { given: null, set: null, inner: {}, map: { a: null, b: 'c' } }), {
    inner: { set: 'y' },
    map: { b: 'c' },
    set: 'x',
    filled: { set: 'z' },
  });
  assert.deepEqual(admit(schema, { set: 'own', inner: null }), { set: 'own', filled: { set: 'z' } });
});

test('items of lists, fields that nobody knows, and values that are no objects stay as they are', () => {
  const strange = { list: [null, 'a'], unknown: null, other: { a: null } };
  assert.deepEqual(admit(schema, strange), { ...strange, set: 'x', filled: { set: 'z' } });
  assert.deepEqual([admit(schema, null), admit(schema, 1), admit(schema, [null])], [null, 1, [null]]);
});

test('what was given is not changed', () => {
  const given = Object.freeze({ set: null });
  admit(schema, given);
  assert.deepEqual(given, { set: null });
});
