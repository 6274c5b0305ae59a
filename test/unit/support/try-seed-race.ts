import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../../src/testing/seed.ts';
import type { SeedRace } from '../seed-races.ts';

/** Many more: `npm run prove -- seed-races`. */
const INTERLEAVINGS = 20_000;

/** Each race has a file of its own: they take the longest of all unit tests, and run side by side that way. */
export function trySeedRace({ title, promise, play }: SeedRace): void {
  void describe(title, () => {
    void it(promise, async () => {
      await fc.assert(fc.asyncProperty(fc.scheduler(), play), { numRuns: INTERLEAVINGS, seed: testSeed() });
    });
  });
}
