import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant, type Instant } from '../domain/units.ts';
import { testSeed } from '../testing/seed.ts';
import { judge, type Testimony } from './drain-verdict.ts';
import { rowAfter, type IdleRow } from './slot-row.ts';

const at = (seconds: number): Instant => instant(seconds * 1000);

/** Looks, each `[what it showed, asked at, answered at]` in seconds. */
const rowOf = (...looks: readonly (readonly ['idle' | 'busy' | 'unknown', number, number])[]): IdleRow | undefined =>
  looks.reduce<IdleRow | undefined>(
    (row, [look, askedAt, answeredAt]) => rowAfter(row, look, { askedAt: at(askedAt), answeredAt: at(answeredAt) }),
    undefined,
  );

const TWICE = rowOf(['idle', 0, 0.1], ['idle', 2.1, 2.2]);
const NOW = at(2.2);
const testimony = (more: Partial<Testimony>): Testimony => ({
  edge: 'e1',
  owes: false,
  inFlight: 0,
  isSilent: false,
  ...more,
});
const silent = testimony({ edge: 'silent', owes: true, isSilent: true });

test('edges that have spoken are believed, and the slots are not asked', () => {
  assert.deepEqual(judge([testimony({}), testimony({ inFlight: 2 })], undefined, NOW).inFlight, 2);
  assert.deepEqual(judge([], undefined, NOW), { inFlight: 0, unheard: [], areSilent: false });
  assert.equal(judge([testimony({ inFlight: 1 })], TWICE, NOW).inFlight, 1, 'it lives, and says so');
  assert.equal(judge([testimony({ owes: true }), silent], TWICE, NOW).inFlight, undefined, 'it may still speak');
});

test('a silent edge is presumed dead with two idle looks, 2 s apart, the last of them just now, and never without', () => {
  const presumed = { inFlight: 0, unheard: ['silent'], areSilent: true };
  assert.deepEqual(judge([testimony({}), silent], TWICE, NOW), presumed);
  assert.deepEqual(judge([{ ...silent, owes: false, inFlight: 3 }], TWICE, NOW), presumed, 'it had acknowledged');
  for (const row of [
    undefined,
    rowOf(['idle', 2.1, 2.2]),
    rowOf(['idle', 0, 0.3], ['idle', 2.1, 2.2]),
    rowOf(['idle', 0, 0.1], ['busy', 1, 1.1], ['idle', 2.1, 2.2]),
    rowOf(['idle', 0, 0.1], ['unknown', 1, 1.1], ['idle', 2.1, 2.2]),
    rowOf(['idle', 0, 0.1], ['idle', 2.1, 2.2], ['unknown', 2.2, 2.2]),
  ]) {
    assert.deepEqual(judge([silent], row, NOW), { ...presumed, inFlight: undefined });
  }
  assert.equal(judge([silent], TWICE, at(3.3)).inFlight, undefined, 'that was a second ago');
});

test('whatever edges say and slots show: 0 without the word of all is a presumption, and names who is silent', () => {
  const testimonies = fc.array(
    fc.record({
      edge: fc.constantFrom('a', 'b', 'c'),
      owes: fc.boolean(),
      inFlight: fc.nat(2),
      isSilent: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(testimonies, fc.constantFrom(undefined, TWICE), (all, row) => {
      const { inFlight, unheard, areSilent } = judge(all, row, NOW);
      const open = all.filter((one) => one.owes || one.inFlight > 0);
      assert.deepEqual(
        unheard,
        open.map(({ edge }) => edge),
      );
      assert.equal(areSilent, open.length > 0 && open.every((one) => one.isSilent));
      // A live edge's word is never replaced by anything.
      if (inFlight === 0 && open.length > 0) assert.ok(row !== undefined && areSilent);
    }),
    { seed: testSeed() },
  );
});
