import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from './failure-of.ts';

test('the status is that of HTTP, whatever the body says, and the header says when to come back', () => {
  const body = {
    kind: 'Status',
    code: 404,
    reason: 'NotFound',
    message: 'm',
    details: { retryAfterSeconds: 9 },
  } as const;
  const error = failureOf('GET /x', { status: 502, retryAfter: '3' }, body);
  assert.deepEqual(
    [error.status, error.reason, error.message, error.retryAfter],
    [502, 'NotFound', 'GET /x: 502 m', 3000],
  );
});

test('a date, nonsense or nothing at all in the header is no time to come back', () => {
  for (const retryAfter of ['Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9', undefined]) {
    assert.equal(failureOf('GET /x', { status: 429, retryAfter }, undefined).retryAfter, undefined);
  }
});
