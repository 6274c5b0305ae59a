import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import type { Failure, FailureCode } from '../domain/replica.ts';
import { instant, seconds } from '../domain/units.ts';
import type { BlockedReason } from '../planner/action.ts';
import { aPool, aPreset, aReplica } from '../testing/worlds.ts';
import type { Surroundings } from './learned-limits.ts';
import { Outcomes } from './outcomes.ts';

const a = aPreset('a');
const at = (now: number, presets = [a]): Surroundings => ({
  catalog: { pools: [aPool()], presets },
  replicas: [],
  now: instant(now),
});

const failureOf = (code: FailureCode, now: number): Failure => ({
  code,
  reason: code,
  exitCode: undefined,
  logTail: [],
  at: instant(now),
  startedAt: undefined,
  readyFor: undefined,
});

function fail(outcomes: Outcomes, code: FailureCode, now: number): ReturnType<Outcomes['failed']> {
  const failure = failureOf(code, now);
  return outcomes.failed({ ...aReplica(a, { kind: 'failed', failure }), id: replicaId('a#1') }, failure, at(now));
}

describe('what has become of a load', () => {
  it('is a failure with a back-off, or a refusal of the scheduler with a limit, and never both', () => {
    const outcomes = new Outcomes();
    assert.deepEqual(fail(outcomes, 'Unschedulable', 0), { kind: 'rejection', until: 10_000 });
    assert.equal(outcomes.backOffs([a], instant(1)).size, 0);
    assert.equal(outcomes.limits(instant(1)).length, 1);
    assert.deepEqual(fail(outcomes, 'OOMKilled', 5_000), { kind: 'failure', until: 15_000 });
    assert.deepEqual([...outcomes.backOffs([a], instant(5_001)).keys()], [a.uid]);
    assert.deepEqual(outcomes.ends(instant(5_001)).toSorted(), [10_000, 15_000]);
    assert.deepEqual(outcomes.ends(instant(15_000)), []);
    assert.equal(outcomes.rejections(instant(10_000)).size, 0);
  });
  it('makes waiting useless only while the scheduler is what it waits for', () => {
    const outcomes = new Outcomes();
    fail(outcomes, 'Unschedulable', 0);
    const isHopeless = (reason: BlockedReason): boolean | undefined => {
      outcomes.judge([{ preset: a.uid, reason, position: undefined }], at(1));
      return outcomes.rejections(instant(1)).get(a.uid)?.isHopeless;
    };
    assert.equal(isHopeless({ kind: 'Unschedulable', until: instant(10_000) }), true);
    assert.equal(isHopeless({ kind: 'WaitingForDrain', leaving: [] }), false);
    assert.equal(isHopeless({ kind: 'Unschedulable', until: instant(10_000) }), true);
    outcomes.judge([], at(1));
    assert.equal(outcomes.rejections(instant(1)).get(a.uid)?.isHopeless, true, 'also while nobody asks');
  });
  it('says nothing of the declared spec, and takes nothing back that was said of it, when the spec was another one', () => {
    const outcomes = new Outcomes();
    fail(outcomes, 'CrashedOnLoad', 0);
    const old = aReplica({ ...a, rendered: 'before' }, { kind: 'failed', failure: failureOf('Crashed', 1) });
    assert.deepEqual(outcomes.failed(old, failureOf('Crashed', 1), at(1)), { kind: 'failure', until: 1 });
    assert.equal(outcomes.backOffs([a], instant(2)).get(a.uid)?.until, 10_000);
  });
  it('is counted once, also when another operator has counted it before this one meets the replica', () => {
    const outcomes = new Outcomes();
    fail(outcomes, 'CrashedOnLoad', 0);
    const next = new Outcomes(outcomes.failures);
    assert.deepEqual(fail(next, 'CrashedOnLoad', 1), { kind: 'failure', until: 10_000 });
    assert.equal(next.failures.get(a.uid)?.count, 1);
    const another = { ...aReplica(a, { kind: 'failed', failure: failureOf('Crashed', 2) }), id: replicaId('a#2') };
    assert.deepEqual(next.failed(another, failureOf('Crashed', 2), at(2)), { kind: 'failure', until: 20_002 });
  });
  it('is forgotten when the preset is gone', () => {
    const outcomes = new Outcomes();
    outcomes.ready(a.uid, seconds(3));
    fail(outcomes, 'OOMKilled', 0);
    fail(outcomes, 'Unschedulable', 0);
    outcomes.keepOnly(at(1));
    assert.equal(outcomes.loads.get(a.uid), 3_000);
    outcomes.keepOnly(at(1, []));
    assert.deepEqual([outcomes.loads.size, outcomes.ends(instant(1)).length], [0, 0]);
    assert.equal(outcomes.schedulerWords(a.uid), undefined);
  });
});
