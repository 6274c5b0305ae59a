import fc from 'fast-check';
import { climates, walksOf, type Climate } from '../unit/planner-model.ts';
import type { Extent, Proof, Series } from './proof.ts';

/** Longer walks than those of `npm test`. */
const LENGTH = 120;

/** Ends at the first walk that breaks a promise: one is enough, and fast-check tells the smallest. */
function walkOften(climate: Climate, { runs, seed }: Extent): Series {
  const timings: number[] = [];
  let begun = performance.now();
  const walks = walksOf(climate, LENGTH, () => {
    timings.push(performance.now() - begun);
    begun = performance.now();
  });
  const details = fc.check(walks, { numRuns: runs, seed });
  const report = fc.defaultReportMessage(details);
  const failures = details.failed ? [report === undefined ? 'no counterexample was reported' : report] : [];
  return { what: climate.claim, runs: details.numRuns, failures, timed: 'a walk', timings };
}

export const provePlanner: Proof = async (extent) =>
  Promise.resolve(climates.map((climate) => walkOften(climate, extent)));
