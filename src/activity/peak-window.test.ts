import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { instant } from '../domain/units.ts';
import { testSeed } from '../testing/seed.ts';
import { PEAK_MEMORY } from '../domain/activity.ts';
import { PeakWindow } from './peak-window.ts';

describe('the window of the last minute', () => {
  it('is known from its opening on, and never for longer than a minute', () => {
    const window = new PeakWindow(instant(5), 2);
    assert.deepEqual(window.peak(instant(10)), { inFlight: 2, since: 5 });
    assert.deepEqual(window.peak(instant(5 + PEAK_MEMORY)), { inFlight: 2, since: 5 });
    assert.deepEqual(window.peak(instant(7 + PEAK_MEMORY)), { inFlight: 2, since: 7 });
  });
  it('remembers the most for a minute after it has ended, and then the most of what came after', () => {
    const window = new PeakWindow(instant(0), 0);
    window.set(3, instant(10));
    window.set(0, instant(20));
    window.set(2, instant(30));
    window.set(1, instant(40));
    const most = [20, 30, 40, 41].map((at) => window.peak(instant(at + PEAK_MEMORY)).inFlight);
    assert.deepEqual(most, [3, 2, 2, 1]);
  });
  it('says what a look at all of the past would say', () => {
    const steps = fc.array(fc.record({ rest: fc.nat({ max: 30_000 }), inFlight: fc.nat({ max: 6 }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        const window = new PeakWindow(instant(0), 0);
        const past = [{ from: 0, inFlight: 0 }];
        let now = 0;
        for (const { rest, inFlight } of moves) {
          now += rest;
          window.set(inFlight, instant(now));
          past.push({ from: now, inFlight });
          // What held until a moment within the last minute counts, and so does what holds now.
          const seen = past.filter((_, at) => (past[at + 1]?.from ?? Infinity) >= now - PEAK_MEMORY);
          const most = Math.max(...seen.map((one) => one.inFlight));
          assert.deepEqual(window.peak(instant(now)), { inFlight: most, since: Math.max(0, now - PEAK_MEMORY) });
        }
      }),
      { seed: testSeed() },
    );
  });
});
