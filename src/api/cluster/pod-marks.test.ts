import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { presetUid } from '../../domain/ids.ts';
import type { DrainCause } from '../../domain/replica.ts';
import { LARGEST_EPOCH } from '../edge-report-schema.ts';
import { beneficiaryOf, formatGate, parseDrainCause, parseGate } from './pod-marks.ts';

const beneficiary = presetUid('uid/other');

/** Every cause for which a gate is closed. What has failed, or is on a lost node, is deleted as it is. */
const CAUSES: Readonly<Record<Exclude<DrainCause['kind'], 'failed' | 'nodeLost'>, DrainCause>> = {
  idle: { kind: 'idle' },
  surplus: { kind: 'surplus' },
  evicted: { kind: 'evicted', beneficiary },
  fairness: { kind: 'fairness', beneficiary },
  removed: { kind: 'removed' },
  changed: { kind: 'changed' },
  ordered: { kind: 'ordered' },
  paused: { kind: 'paused' },
  capacity: { kind: 'capacity' },
  deleted: { kind: 'deleted' },
};

describe('the cause of a drain', () => {
  it('is read from its annotations as it was written', () => {
    for (const cause of Object.values(CAUSES)) {
      assert.deepEqual(parseDrainCause(cause.kind, beneficiaryOf(cause)), cause);
    }
  });
  it('is unknown where Corral would not have written it so', () => {
    for (const [cause, to] of [[undefined], ['bored'], ['constructor'], ['evicted'], ['failed']]) {
      assert.equal(parseDrainCause(cause, to), undefined, String(cause));
    }
  });
});

describe('a gate', () => {
  it('is read as it was written, up to the largest number', () => {
    for (const closed of [true, false]) {
      for (const epoch of [0, 1, 9_999_999_999, LARGEST_EPOCH]) {
        assert.deepEqual(parseGate(formatGate({ closed, epoch })), { closed, epoch });
      }
    }
  });
  it('is unknown where Corral would not have written it so', () => {
    const numbers = [
      '',
      '-1',
      '01',
      '1.5',
      '1e3',
      '9007199254740992',
      '9007199254740993',
      '9'.repeat(16),
      '9'.repeat(20),
    ];
    for (const text of [undefined, '', 'ajar', 'closed', ...numbers.map((number) => `closed/${number}`)]) {
      assert.equal(parseGate(text), undefined, String(text));
    }
  });
});
