import fc from 'fast-check';
import { seedRaces, type SeedRace } from '../unit/seed-races.ts';
import type { Extent, Proof, Series } from './proof.ts';

/** Ends at the first interleaving that breaks a promise: one is enough, and fast-check tells the smallest. */
async function raceOften({ title, play }: SeedRace, { runs, seed }: Extent): Promise<Series> {
  const timings: number[] = [];
  const property = fc.asyncProperty(fc.scheduler(), async (s) => {
    const begun = performance.now();
    await play(s);
    timings.push(performance.now() - begun);
  });
  const details = await fc.check(property, { numRuns: runs, seed });
  const report = await fc.asyncDefaultReportMessage(details);
  const failures = details.failed ? [report === undefined ? 'no counterexample was reported' : report] : [];
  return { what: title, runs: details.numRuns, failures, timed: 'an interleaving', timings };
}

export const proveSeedRaces: Proof = async (extent) => {
  const series: Series[] = [];
  for (const race of seedRaces) series.push(await raceOften(race, extent));
  return series;
};
