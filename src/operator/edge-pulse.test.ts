import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../domain/units.ts';
import { isSilent, pulseAfter, type Pulse } from './edge-pulse.ts';

/** A row of reads, each `[version, asked at, answered at]` in seconds. */
const rowOf = (...reads: readonly (readonly [string | undefined, number, number])[]): Pulse | undefined =>
  reads.reduce<Pulse | undefined>(
    (before, [version, askedAt, answeredAt]) =>
      pulseAfter(before, { version, askedAt: instant(askedAt * 1000), answeredAt: instant(answeredAt * 1000) }),
    undefined,
  );

/** A read every two seconds from `from` to `to`, each answered after half a second. */
const steady = (version: string | undefined, from: number, to: number): [string | undefined, number, number][] =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, index) => [version, from + 2 * index, from + 2 * index + 0.5]);

const at = (seconds: number) => instant(seconds * 1000);

test('an edge is silent when reads of its Lease, for 10 s from the answer to the first, show nothing new', () => {
  assert.equal(isSilent(undefined, at(0), at(100)), false, 'it was never looked for');
  assert.equal(isSilent(rowOf(...steady('7', 0, 10)), at(0), at(10.5)), false, 'its Lease may have been new at 0.5 s');
  assert.equal(isSilent(rowOf(...steady('7', 0, 12)), at(0), at(12.5)), true);
  assert.equal(isSilent(rowOf(...steady(undefined, 0, 12)), at(0), at(12.5)), true, 'one that never had a Lease');
});

test('a renewal, a report, a read that fails or comes late, or a reader that stood still begins it anew', () => {
  const renewed = rowOf(...steady('7', 0, 6), ...steady('8', 8, 16));
  assert.equal(isSilent(renewed, at(0), at(16.5)), false);
  assert.equal(isSilent(rowOf(...steady('7', 0, 6), ...steady('8', 8, 20)), at(0), at(20.5)), true);
  assert.equal(isSilent(rowOf(...steady('7', 0, 14)), at(5), at(14.5)), false, 'it has reported at 5 s');
  assert.equal(isSilent(rowOf(...steady('7', 0, 16)), at(5), at(16.5)), true);
  assert.equal(isSilent(rowOf(...steady('7', 0, 4), ...steady('7', 12, 18)), at(0), at(18.5)), false, 'a gap');
  assert.equal(isSilent(rowOf(...steady('7', 0, 12)), at(0), at(18)), false, 'nobody has looked since');
});
