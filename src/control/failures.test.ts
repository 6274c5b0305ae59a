import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId, type ReplicaId } from '../domain/ids.ts';
import type { Failure } from '../domain/replica.ts';
import { instant, milliseconds, minutes, type Duration } from '../domain/units.ts';
import { aPreset } from '../testing/worlds.ts';
import { backingOff, noteFailure, type FailureNote } from './failures.ts';

const failureAt = (at: number, readyFor?: Duration): Failure => ({
  code: 'CrashedOnLoad',
  reason: 'it broke',
  exitCode: 1,
  logTail: [],
  at: instant(at),
  readyFor,
});

const ran = (rendered: string): { id: ReplicaId; rendered: string } => ({ id: replicaId('a#1'), rendered });

/** The delays after failures one after the other. */
function delays(failures: readonly Failure[]): number[] {
  let note: FailureNote | undefined;
  return failures.map((failure) => {
    note = noteFailure(note, failure, ran('x'));
    return note.until - failure.at;
  });
}

describe('the back-off', () => {
  it('is 10 s for a failed load, doubling to 5 min', () => {
    const loads = Array.from({ length: 8 }, (_, at) => failureAt(at));
    assert.deepEqual(delays(loads), [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  });
  it('is nothing for the first crash of a replica that was ready, and begins with the second', () => {
    const crash = failureAt(0, milliseconds(5));
    assert.deepEqual(delays([crash, crash, crash]), [0, 10_000, 20_000]);
  });
  it('starts anew after ten minutes of service', () => {
    const crash = failureAt(minutes(10) + 1, minutes(10));
    assert.deepEqual(delays([failureAt(0), failureAt(1), crash, failureAt(crash.at)]), [10_000, 20_000, 0, 20_000]);
  });
  it('goes on when one crashes that has served for ten minutes, and another has failed meanwhile', () => {
    assert.deepEqual(delays([failureAt(1), failureAt(minutes(10), minutes(10))]), [10_000, 10_000]);
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
