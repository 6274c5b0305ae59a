import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId, type ReplicaId } from '../domain/ids.ts';
import type { Failure } from '../domain/replica.ts';
import { instant, milliseconds, minutes, type Duration } from '../domain/units.ts';
import { aPreset } from '../testing/worlds.ts';
import { backingOff, noteFailure, type FailureNote } from './failures.ts';

/** Of a replica that was started in that moment. */
const failureAt = (at: number, readyFor?: Duration): Failure => ({
  code: 'CrashedOnLoad',
  reason: 'it broke',
  exitCode: 1,
  logTail: [],
  at: instant(at),
  startedAt: instant(at),
  readyFor,
});
const loadSince = (startedAt: number, at: number): Failure => ({ ...failureAt(at), startedAt: instant(startedAt) });
const crashSince = (ready: number, at: number): Failure => failureAt(at, milliseconds(at - ready));

const ran = (rendered: string): { id: ReplicaId; rendered: string } => ({ id: replicaId('a#1'), rendered });

/** The notes after failures one after the other. */
function notes(failures: readonly Failure[]): FailureNote[] {
  let note: FailureNote | undefined;
  return failures.map((failure) => {
    note = noteFailure(note, failure, ran('x'));
    return note;
  });
}

const delays = (failures: readonly Failure[]): number[] =>
  notes(failures).map(({ until, failure }) => until - failure.at);

const counts = (failures: readonly Failure[]): number[] => notes(failures).map(({ count }) => count);

describe('the back-off', () => {
  it('is 10 s for a failed load, doubling to 5 min', () => {
    const loads = Array.from({ length: 8 }, (_, at) => failureAt(at));
    assert.deepEqual(delays(loads), [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  });
  it('is nothing for the first crash of a replica that was ready, and begins with the second', () => {
    assert.deepEqual(delays([crashSince(0, 5), crashSince(6, 11), crashSince(12, 17)]), [0, 10_000, 20_000]);
  });
  it('starts anew after ten minutes of service', () => {
    const crash = failureAt(minutes(10) + 1, minutes(10));
    assert.deepEqual(delays([failureAt(0), failureAt(1), crash, failureAt(crash.at + 1)]), [10_000, 20_000, 0, 20_000]);
  });
  it('goes on when one crashes that has served for ten minutes, and another has failed meanwhile', () => {
    assert.deepEqual(counts([failureAt(1), failureAt(2), crashSince(0, minutes(10))]), [1, 2, 2]);
  });
  it('counts once what ends several replicas: those that served, those that loaded, and both', () => {
    const [crashes, loads] = [[9, 10, 11].map((at) => crashSince(0, at)), [9, 10, 11].map((at) => loadSince(0, at))];
    for (const [failures, waits] of [
      [crashes, [9, 10, 11]],
      [loads, [10_009, 10_010, 10_011]],
      [
        [crashSince(0, 9), loadSince(0, 10)],
        [9, 10_010],
      ],
      [
        [loadSince(0, 10), crashSince(0, 9)],
        [10_010, 10_010],
      ],
    ] as const) {
      assert.deepEqual(
        notes(failures).map(({ count, until }) => [count, until]),
        waits.map((until) => [1, until]),
      );
    }
  });
  it('is never over earlier for one that fails beside others', () => {
    const failures = [loadSince(0, 100), loadSince(0, 50), crashSince(0, 101)];
    assert.deepEqual(
      notes(failures).map(({ until }) => until),
      [10_100, 10_100, 10_100],
    );
  });
  it('counts what was tried since: whoever was started, or has come to serve, after the first of the last attempt failed', () => {
    assert.deepEqual(counts([loadSince(0, 10), loadSince(0, 30), loadSince(11, 40)]), [1, 1, 2]);
    assert.deepEqual(counts([loadSince(0, 10), crashSince(11, 40)]), [1, 2]);
    // Each served when the one before it crashed.
    assert.deepEqual(counts([crashSince(0, 10), crashSince(0, 40), crashSince(20, 70), crashSince(50, 90)]), [1, 1, 2, 2]); // prettier-ignore
  });
  it('counts each failure where nobody knows when it was started, or when the last one was', () => {
    const [first] = notes([loadSince(0, 10)]);
    assert.ok(first !== undefined);
    const unknown = { ...failureAt(10), startedAt: undefined };
    assert.deepEqual(counts([unknown, unknown]), [1, 2]);
    const remembered = { ...first, firstAt: undefined };
    for (const next of [loadSince(0, 11), crashSince(0, 11)])
      assert.deepEqual([noteFailure(remembered, next, ran('x')).count], [2]);
  });
  it('starts anew when the spec has changed', () => {
    const before = noteFailure(undefined, failureAt(0), ran('x'));
    assert.equal(noteFailure(before, failureAt(1), ran('y')).count, 1);
  });
  it('speaks for a preset only until it ends, and only for the spec that failed', () => {
    const preset = aPreset('a');
    const notes = new Map([[preset.uid, noteFailure(undefined, failureAt(0), ran(preset.rendered))]]);
    assert.ok(backingOff(notes, preset, instant(9_999)) !== undefined);
    assert.equal(backingOff(notes, preset, instant(10_000)), undefined);
    assert.equal(backingOff(notes, { ...preset, rendered: 'changed' }, instant(1)), undefined);
    assert.equal(backingOff(notes, aPreset('b'), instant(1)), undefined);
  });
});
