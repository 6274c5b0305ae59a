import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderStatus } from '../api/cluster/render-status.ts';
import { noteFailure, type FailureNote } from '../control/failures.ts';
import { replicaId, type PresetUid } from '../domain/ids.ts';
import type { Failure, FailureCode } from '../domain/replica.ts';
import { instant, minutes, seconds } from '../domain/units.ts';
import { clusterWorld, podOf, ready, stopping, uidOf, type WorldSketch } from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import { rememberedFailures } from './remembered-failures.ts';
import { situationsOf } from './situations.ts';

const chat = declared('chat', [declaredPreset('a')]);
const uid = uidOf('chat/a');
const declaredAs = 'hash';
const render: NonNullable<WorldSketch['render']> = (settings) => ({
  ok: true,
  template: { rendered: declaredAs, settings },
});

const failureAt = (at: number, code: FailureCode = 'CrashedOnLoad'): Failure => ({
  code,
  reason: 'it broke',
  exitCode: 1,
  logTail: ['line 1', 'line 2'],
  at: instant(at),
  startedAt: undefined,
  readyFor: undefined,
});

/** The note after so many failures, the last of which was at 60 s. */
function failedTimes(count: number): FailureNote {
  let note: FailureNote | undefined;
  for (let left = count; left > 0; left -= 1) {
    note = noteFailure(note, failureAt(60_000 - left + 1), { id: replicaId(`pod-${left}`), rendered: declaredAs });
  }
  assert.ok(note !== undefined);
  return note;
}

/** What the next operator remembers, on a clock of its own, of the status that one writes `seconds` after the failure. */
function handOver(note: FailureNote, sketch: WorldSketch = {}, waited = 1, next = chat): Map<PresetUid, FailureNote> {
  const { failure, count: failures, until: retryAt } = note;
  const now = instant(60_000 + waited * 1000);
  const backOff = retryAt > now ? { ...failure, failures, retryAt } : undefined;
  const standings = { 'chat/a': { backOff } };
  const world = clusterWorld([chat], { render, failures: new Map([[uid, note]]), standings, ...sketch });
  const [situation] = situationsOf(world).deployments;
  assert.ok(situation !== undefined);
  const status = renderStatus(situation, { now, wall: Date.UTC(2026, 0, 1) }, () => undefined);
  return rememberedFailures(clusterWorld([{ ...next, status }]).acceptance, instant(7));
}

describe('whoever leads next', () => {
  it('counts on, knows the words, and lets the whole wait begin anew', () => {
    const remains = [podOf('chat/a', stopping({ kind: 'failed' }), 'pod-1')];
    const note = handOver(failedTimes(3), { replicas: remains }).get(uid);
    assert.deepEqual(note, {
      failure: { ...failureAt(7), exitCode: undefined },
      rendered: declaredAs,
      count: 3,
      firstAt: undefined,
      counted: ['pod-1'],
      until: 7 + seconds(40),
    });
    const again = noteFailure(note, failureAt(50_000), { id: replicaId('pod-0'), rendered: declaredAs });
    assert.deepEqual([again.count, again.until - 50_000], [4, seconds(80)]);
  });

  it('counts those that fail together once more, since nobody knows on its clock when the last one has failed', () => {
    let note = handOver(failedTimes(2)).get(uid);
    const counts = ['pod-8', 'pod-9'].map((id, index) => {
      const failure = { ...failureAt(20 + index), startedAt: instant(0) };
      note = noteFailure(note, failure, { id: replicaId(id), rendered: declaredAs });
      return note.count;
    });
    assert.deepEqual(counts, [3, 3]);
  });

  it('lets nobody wait once that was over, also while it is tried again, and counts on all the same', () => {
    const later = handOver(failedTimes(3), {}, 41).get(uid);
    assert.deepEqual([later?.count, later?.until], [3, 7]);
    const note = handOver(failedTimes(3), { replicas: [podOf('chat/a', ready())] }, 41).get(uid);
    assert.deepEqual([note?.count, note?.failure.reason], [3, 'it has failed (CrashedOnLoad)']);
  });

  it('never lets anybody wait for longer than the longest back-off, whatever a status says', () => {
    const note = { ...failedTimes(1), until: instant(60_000 + minutes(60)) };
    assert.equal(handOver(note).get(uid)?.until, 7 + minutes(5));
  });

  it('takes nothing over from another life, or of a kind that it does not know', () => {
    const metadata = { ...(chat['metadata'] as object), uid: 'another-uid' };
    assert.equal(handOver(failedTimes(1), {}, 1, { ...chat, metadata } as typeof chat).size, 0);
    const note = { ...failedTimes(1), failure: failureAt(60_000, 'Later' as FailureCode) };
    assert.equal(handOver(note).size, 0);
  });
});
