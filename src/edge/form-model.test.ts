import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formCases, type FormCase } from '../testing/form-cases.ts';
import { FormModelReader } from './form-model.ts';
import { formBoundary } from './form-type.ts';
import type { FoundModel } from './found-model.ts';

/** What is read if the body arrives up to these sizes, and then as a whole. */
function read({ contentType, body }: FormCase, looks: readonly number[] = []): FoundModel {
  const type = formBoundary(contentType);
  if (!type.ok) return type;
  const reader = new FormModelReader(type.boundary);
  for (const size of [...looks, body.length]) {
    // What has not arrived yet is anything.
    const arrived = Buffer.alloc(size + 8, '-');
    body.copy(arrived, 0, 0, size);
    reader.read(arrived, size);
  }
  return reader.finish();
}

test('there are at least 60 forms', () => {
  assert.ok(formCases.length >= 60);
});

for (const each of formCases) {
  const { what, expected } = each;
  test(`a form with ${what} is ${expected instanceof RegExp ? 'refused' : 'read'}`, () => {
    const found = read(each);
    if (!(expected instanceof RegExp)) assert.deepEqual(found, { ok: true, ...expected, closedAt: undefined });
    else assert.match(found.ok ? `found ${found.model}` : found.reason, expected);
  });
}

test('a form is read the same wherever it is cut on its way', () => {
  for (const each of formCases) {
    const whole = read(each);
    for (let size = 0; size < Math.min(each.body.length, 700); size += 1) {
      assert.deepEqual(read(each, [size]), whole, `${each.what}, cut at ${size}`);
    }
  }
});

test('a form that comes byte by byte is read the same', () => {
  for (const each of formCases.filter(({ body }) => body.length < 700)) {
    assert.deepEqual(read(each, [...each.body.keys()]), read(each), each.what);
  }
});
