import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../src/testing/seed.ts';
import { seedRaces } from './seed-races.ts';

/** Many more: `npm run prove -- seed-races`. */
const INTERLEAVINGS = 20_000;

for (const { title, promise, play } of seedRaces) {
  describe(title, () => {
    it(promise, async () => {
      await fc.assert(fc.asyncProperty(fc.scheduler(), play), { numRuns: INTERLEAVINGS, seed: testSeed() });
    });
  });
}
