import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instant, milliseconds, seconds } from '../domain/units.ts';
import {
  atTime,
  holderOf,
  LEASE_STANDS,
  looked,
  mayWrite,
  nextStep,
  NOT_LOOKED,
  pauseAfter,
  RENEWAL_HOLDS,
  RETRY_AFTER,
  standingTime,
  surprised,
  WRITE_TIMEOUT,
  written,
  type Election,
  type LeaseRecord,
} from './election.ts';

const NOBODY: LeaseRecord = { version: '1', holder: '', standsFor: milliseconds(0) };
const byOther = (version: string): LeaseRecord => ({ version, holder: 'b', standsFor: LEASE_STANDS });
const byMe = (version: string): LeaseRecord => ({ version, holder: 'a', standsFor: LEASE_STANDS });
const at = (ms: number): ReturnType<typeof instant> => instant(ms);

/** `a` leads, from a claim that was sent at 0. */
const leading = (): Election =>
  written(looked(NOT_LOOKED, 'a', NOBODY, at(0)), 'a', { record: byMe('2'), sentAt: at(0) }, at(100));

describe('the election', () => {
  it('lets the last write of a leader end before the lease can be taken from it', () => {
    assert.ok(RENEWAL_HOLDS + WRITE_TIMEOUT <= LEASE_STANDS);
  });

  it('looks first, and takes at once what nobody has', () => {
    assert.equal(nextStep(NOT_LOOKED, 'a', at(0)), 'look');
    assert.equal(nextStep(looked(NOT_LOOKED, 'a', NOBODY, at(0)), 'a', at(0)), 'take');
  });

  it('takes what another one holds only when it has not changed for as long as it stands, by our own clock', () => {
    const seen = looked(NOT_LOOKED, 'a', byOther('1'), at(1000));
    assert.equal(nextStep(looked(seen, 'a', byOther('1'), at(6999)), 'a', at(6999)), 'look');
    assert.equal(nextStep(looked(seen, 'a', byOther('1'), at(6999)), 'a', at(7000)), 'take');
    const renewed = looked(seen, 'a', byOther('2'), at(6999));
    assert.equal(nextStep(renewed, 'a', at(12_998)), 'look');
    assert.equal(nextStep(renewed, 'a', at(12_999)), 'take');
  });

  it('offers a lease where there is none, and lets it stand before it takes it', () => {
    const absent = looked(NOT_LOOKED, 'a', undefined, at(0));
    assert.equal(nextStep(absent, 'a', at(60_000)), 'offer', 'however long it has been absent');
    const offered = written(absent, 'a', { record: { ...byOther('1'), holder: '' }, sentAt: at(0) }, at(10));
    assert.equal(offered.kind, 'following');
    assert.equal(nextStep(offered, 'a', at(6009)), 'look');
    assert.equal(nextStep(offered, 'a', at(6010)), 'take');
  });

  it('leads for 4 s from sending the claim, not from its answer, and renews', () => {
    const election = leading();
    assert.equal(nextStep(election, 'a', at(1000)), 'take');
    assert.deepEqual([mayWrite(election, at(3999)), mayWrite(election, at(4000))], [true, false]);
    const renewed = written(election, 'a', { record: byMe('3'), sentAt: at(1000) }, at(2900));
    assert.deepEqual([mayWrite(renewed, at(4999)), mayWrite(renewed, at(5000))], [true, false]);
  });

  it('does not lead by a claim that is answered too late', () => {
    const taken = looked(NOT_LOOKED, 'a', NOBODY, at(0));
    const late = written(taken, 'a', { record: byMe('2'), sentAt: at(0) }, at(4000));
    assert.equal(late.kind, 'following');
    assert.equal(nextStep(late, 'a', at(4000)), 'take', 'the lease names us: no need to wait');
  });

  it('has lost for ever when no renewal was answered in time', () => {
    const election = leading();
    assert.equal(atTime(election, at(3999)).kind, 'leading');
    const lost = atTime(election, at(4000));
    assert.equal(lost.kind, 'lost');
    assert.equal(nextStep(lost, 'a', at(4000)), 'end');
    assert.equal(written(lost, 'a', { record: byMe('3'), sentAt: at(3900) }, at(4100)).kind, 'lost');
    assert.equal(looked(lost, 'a', byMe('3'), at(4100)).kind, 'lost');
  });

  it('has lost when the lease names another one, and holds what was deleted or emptied under it', () => {
    const unsure = surprised(leading());
    assert.equal(nextStep(unsure, 'a', at(1000)), 'look');
    assert.equal(looked(unsure, 'a', byOther('3'), at(1000)).kind, 'lost');
    for (const record of [undefined, NOBODY, byMe('3')]) {
      const found = looked(unsure, 'a', record, at(1000));
      assert.equal(nextStep(found, 'a', at(1000)), 'take');
      assert.deepEqual([mayWrite(found, at(3999)), mayWrite(found, at(4000))], [true, false], 'a look renews nothing');
    }
  });

  it('looks again after a surprise, and counts anew only where the lease says something else by then', () => {
    const seen = looked(NOT_LOOKED, 'a', byOther('1'), at(0));
    const unsure = surprised(seen);
    assert.equal(nextStep(unsure, 'a', at(6000)), 'look');
    assert.equal(nextStep(looked(unsure, 'a', byOther('1'), at(6000)), 'a', at(6000)), 'take');
    assert.equal(nextStep(looked(unsure, 'a', byOther('2'), at(6000)), 'a', at(11_999)), 'look');
  });

  it('wakes when the lease may be taken, or else after a second', () => {
    const seen = looked(NOT_LOOKED, 'a', byOther('1'), at(0));
    assert.equal(pauseAfter(seen, at(1000), at(1300)), 700);
    assert.equal(pauseAfter(seen, at(5400), at(5500)), 500);
    assert.equal(pauseAfter(leading(), at(1000), at(1001)), RETRY_AFTER - 1);
    assert.equal(pauseAfter(leading(), at(1000), at(9000)), 0);
    assert.equal(pauseAfter(seen, at(6000), at(6001)), RETRY_AFTER - 1, 'it could not be taken');
  });

  it('says whom the lease names', () => {
    assert.equal(holderOf(NOT_LOOKED), undefined);
    assert.equal(holderOf(looked(NOT_LOOKED, 'a', NOBODY, at(0))), undefined);
    assert.equal(holderOf(looked(NOT_LOOKED, 'a', byOther('1'), at(0))), 'b');
    assert.equal(holderOf(leading()), 'a');
    assert.equal(holderOf(atTime(leading(), at(4000))), undefined);
  });

  it('lets a lease with a holder stand for as long as it would hold it itself, and one that was given back not at all', () => {
    assert.equal(standingTime('b', undefined), LEASE_STANDS);
    assert.equal(standingTime('b', 1), LEASE_STANDS);
    assert.equal(standingTime('b', 15), seconds(15));
    assert.equal(standingTime('', undefined), 0);
    assert.equal(standingTime('', 6), seconds(6));
    assert.equal(standingTime(undefined, undefined), LEASE_STANDS, 'somebody has just created it');
    for (const wrong of [-1, 0, Number.NaN]) assert.equal(standingTime('', wrong), LEASE_STANDS);
  });
});
