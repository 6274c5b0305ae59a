import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicNow } from './clock.ts';

test('the clock never goes back', () => {
  const first = monotonicNow();
  const second = monotonicNow();
  assert.ok(second >= first);
});

test('the clock counts milliseconds since the process started, not since an epoch', () => {
  assert.ok(Math.abs(monotonicNow() - performance.now()) < 1000);
});
