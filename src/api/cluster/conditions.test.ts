import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutText, formatTime } from './conditions.ts';

test('a text is cut to characters that an API server stores as they are', () => {
  assert.equal(cutText('abc', 3), 'abc');
  assert.equal(cutText('abcd', 3), 'ab…');
  assert.equal(cutText('a😀bc', 3), 'a\uFFFD…', 'half a character is none');
  assert.equal(cutText('a\u0000b\u001B[1mc\nd', 99), 'a b [1mc\nd');
  assert.equal(cutText('\uD800', 9), '\uFFFD');
});

test('times are written in whole seconds of UTC', () => {
  assert.equal(formatTime(Date.parse('2026-01-01T00:00:00.999Z')), '2026-01-01T00:00:00Z');
});
