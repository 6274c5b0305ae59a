import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerChange } from '../activity/ledger.ts';
import { urgencyOf, type Urgency } from './report-budget.ts';

const TABLE: readonly [LedgerChange, isEndAwaited: boolean, Urgency][] = [
  ['demand', false, 'waitedFor'],
  ['pressure', false, 'waitedFor'],
  ['idle', true, 'waitedFor'],
  ['idle', false, 'canWait'],
  ['busy', false, 'canWait'],
  ['busy', true, 'canWait'],
];

test('what the operator plans on at once is waited for, and what it only heeds can wait', () => {
  for (const [change, isEndAwaited, urgency] of TABLE)
    assert.equal(
      urgencyOf(change, () => isEndAwaited),
      urgency,
      change,
    );
});
