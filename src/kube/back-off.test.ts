import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds, seconds } from '../domain/units.ts';
import { delayAfter } from './back-off.ts';
import { ApiError } from './kube-api.ts';

const BACK_OFF = { first: milliseconds(500), longest: seconds(30) };
const asking = (retryAfter: number): ApiError => new ApiError({ status: 429, reason: 'R', message: 'm', retryAfter });

test('a pause is any time up to a limit that doubles and ends', () => {
  const pauses = (random: number) =>
    [0, 1, 2, 3, 6, 7, 5000].map((failures) => delayAfter(undefined, failures, BACK_OFF, () => random));
  assert.deepEqual(pauses(1), [500, 500, 1000, 2000, 16_000, 30_000, 30_000]);
  assert.deepEqual(pauses(0), [0, 0, 0, 0, 0, 0, 0]);
});

test('it is at least what the server asks for, up to two minutes', () => {
  const pause = (retryAfter: number) => delayAfter(asking(retryAfter), 1, BACK_OFF, () => 1);
  assert.deepEqual([100, 20_000, 86_400_000].map(pause), [500, 20_000, 120_000]);
});
