import type { Extent, Series } from '../proof.ts';
import { choosePoints, describePoint, HOWS, pointsOf, type KillPoint } from './kill-points.ts';
import type { KillTrials, Reference } from './kill-trials.ts';
import type { Scenario } from './scenarios.ts';

/** Does something to the operator at so many points of a scenario, chosen by the seed. */
export async function tryScenario(trials: KillTrials, scenario: Scenario, { runs, seed }: Extent): Promise<Series> {
  const reference = await trials.learn(scenario);
  const points = pointsOf(reference.counts, HOWS);
  const tried = await tryPoints(trials, scenario, reference, choosePoints(points, runs, seed));
  return { what: `${scenario.name}: ${scenario.what}; ${points.length} points`, ...tried };
}

/** Two renewals and the write by which a new operator takes the Lease. */
const LEASE_POINTS: readonly KillPoint[] = [
  { nth: 1, isFresh: true },
  { nth: 2, isFresh: true },
  { nth: 1 },
  { nth: 2 },
].flatMap((which) => HOWS.map((how) => ({ kind: 'Lease' as const, how, ...which })));

/** As `tryScenario`, at writes of the Lease, too; the next operator has to wait until the Lease of the dead one has run out. */
export async function tryLease(
  trials: KillTrials,
  scenario: Scenario,
  { runs, seed }: Extent,
): Promise<readonly Series[]> {
  const reference = await trials.learn(scenario);
  const kills = pointsOf(reference.counts, ['before', 'after'] as const);
  const { keeper } = trials;
  keeper.lease = 'left alone';
  try {
    const lease = await tryPoints(trials, scenario, reference, choosePoints(LEASE_POINTS, runs, seed));
    const others = await tryPoints(trials, scenario, reference, choosePoints(kills, runs, seed));
    return [
      { what: `${scenario.name}, at writes of the Lease; ${LEASE_POINTS.length} points`, ...lease },
      { what: `${scenario.name}, with the Lease of the killed one left alone`, ...others },
    ];
  } finally {
    keeper.lease = 'given back';
  }
}

/** A write that does not come, since another one has said it already, is no run. */
async function tryPoints(
  trials: KillTrials,
  scenario: Scenario,
  reference: Reference,
  points: readonly KillPoint[],
): Promise<Omit<Series, 'what'>> {
  const failures: string[] = [];
  const timings: number[] = [];
  for (const point of points) {
    try {
      const took = await trials.attempt(scenario, point, reference, { meet: () => point.how });
      if (took !== undefined) timings.push(took);
    } catch (error) {
      failures.push(`${describePoint(point)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { runs: timings.length + failures.length, failures, timed: 'from the kill to the end state', timings };
}
