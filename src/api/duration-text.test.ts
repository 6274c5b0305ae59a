import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { milliseconds } from '../domain/units.ts';
import { MAX_DURATION, formatDuration, parseDuration, parseSecondsOrDuration } from './duration-text.ts';

test('a duration is read as Go writes it', () => {
  const cases = new Map([
    ['0', 0],
    ['0s', 0],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['1m1ms', 60_001],
    ['480h', MAX_DURATION],
  ]);
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

test('what is no duration, or longer than a timer can hold, is undefined', () => {
  for (const text of ['', '15', '15 m', '-1s', '1d', 'm', '1e3s', '15M', '1h ', '481h', '99999999999999h', '0s0']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test('a bare number counts seconds where llama-server would count them so', () => {
  assert.equal(parseSecondsOrDuration('90'), 90_000);
  assert.equal(parseSecondsOrDuration('15m'), 900_000);
  assert.equal(parseSecondsOrDuration('1728001'), undefined);
  assert.equal(parseSecondsOrDuration('-1'), undefined);
});

test('what formatDuration writes, parseDuration reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_DURATION }), (ms) => {
      assert.equal(parseDuration(formatDuration(milliseconds(ms))), ms);
    }),
  );
});
