import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../src/testing/seed.ts';
import { climates, walksOf } from './planner-model.ts';

/** Many more, and longer ones: `npm run prove -- planner`. */
const WALKS = 150;
const LENGTH = 60;
/** Shrinking a walk may take long; the smallest one found until then is told. */
const ENOUGH_MS = 60_000;

describe('Corral from queue to process', () => {
  for (const climate of climates) {
    it(climate.claim, () => {
      fc.assert(
        walksOf(climate, LENGTH, () => undefined),
        { numRuns: WALKS, seed: testSeed(), interruptAfterTimeLimit: ENOUGH_MS },
      );
    });
  }
});
