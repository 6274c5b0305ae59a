import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName } from '../domain/ids.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { instant } from '../domain/units.ts';
import { aPreset, aReplica, drainingSince, readySince, startingSince } from '../testing/worlds.ts';
import { reservationsAfterRestart } from './reservations.ts';

const [a, b] = [aPreset('a'), aPreset('b')];
const fairForB: DrainCause = { kind: 'fairness', beneficiary: b.uid };
const left = (...replicas: Replica[]): unknown => [...reservationsAfterRestart({ presets: [a, b], replicas })];

describe('after a restart', () => {
  const leaving = aReplica(a, drainingSince(1, fairForB));
  it('room is reserved where others leave for somebody by the fairness rule', () => {
    assert.deepEqual(left(leaving), [[b.uid, 'pool']]);
    assert.deepEqual(left(aReplica(a, { kind: 'stopping', since: instant(1), cause: fairForB })), [[b.uid, 'pool']]);
  });
  it('none is where they leave for another reason, where nobody knows in which bin they lie, or for one that is gone', () => {
    assert.deepEqual(left(aReplica(a, drainingSince(1, { kind: 'evicted', beneficiary: b.uid }))), []);
    assert.deepEqual(left({ ...leaving, bin: undefined }), []);
    assert.deepEqual([...reservationsAfterRestart({ presets: [a], replicas: [leaving] })], []);
  });
  it('none is in a pool that its beneficiary has left', () => {
    assert.deepEqual(left({ ...leaving, pool: poolName('other') }), []);
  });
  it('none is for one that is served, or will be, as its model of now', () => {
    assert.deepEqual(left(leaving, aReplica(b, startingSince(2))), []);
    assert.deepEqual(left(leaving, aReplica(b, readySince(2))), []);
    assert.deepEqual(left(leaving, { ...aReplica(b, readySince(2)), serves: 'before' }), [[b.uid, 'pool']]);
  });
});
