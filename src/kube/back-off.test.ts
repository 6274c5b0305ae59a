import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds, seconds } from '../domain/units.ts';
import { delayAfter, pauseAskedFor, Pauses, type Setback } from './back-off.ts';
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

test('what the server asks for is known by itself, up to two minutes', () => {
  const errors = [undefined, new Error('another one'), ...[100, 20_000, 86_400_000].map(asking)];
  assert.deepEqual(errors.map(pauseAskedFor), [0, 0, 100, 20_000, 120_000]);
});

/** The pauses after these setbacks in a row, when chance takes the longest. */
function pausesAfter(...setbacks: readonly Setback[]): readonly number[] {
  const pauses = new Pauses(BACK_OFF, () => 1);
  return setbacks.map((setback) => pauses.after(setback, undefined));
}

test('pauses after conflicts stay short, however many there were', () => {
  const many = pausesAfter(...Array.from({ length: 1000 }, () => 'conflict' as const));
  assert.deepEqual(many.slice(0, 7), [10, 20, 40, 80, 160, 250, 250]);
  assert.equal(Math.max(...many), 250);
});

test('conflicts and what else goes wrong are counted each for themselves', () => {
  const mixed = pausesAfter('later', 'conflict', 'conflict', 'later', 'conflict', 'later', 'later', 'conflict');
  assert.deepEqual(mixed, [500, 10, 20, 1000, 40, 2000, 4000, 80]);
});

test('a server that asks to be left alone is, also between conflicts', () => {
  const pauses = new Pauses(BACK_OFF, () => 1);
  const met = [
    pauses.after('conflict', undefined),
    pauses.after('later', asking(20_000)),
    pauses.after('conflict', undefined),
  ];
  assert.deepEqual(met, [10, 20_000, 20]);
});
