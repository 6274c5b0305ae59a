import type { Extent, Series } from '../proof.ts';
import { choosePoints, describePoint, pointsOf, type WritePoint } from './kill-points.ts';
import type { KillTrials } from './kill-trials.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { LAGS, type Lag, type TwoServers } from './two-servers.ts';

const removedAndWanted: Scenario = {
  name: 'wanted',
  what: 'a model is wanted just when its ModelDeployment is gone',
  pool: { capacity: { maxLoaded: 1 } },
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }, { name: 'b' }]);
    await trial.load('a');
    await trial.remove();
    const late = trial.request('b');
    await trial.untilGone('a');
    late.end();
  },
};

/** Those in which an API server can be late. */
export const LAG_SCENARIOS: readonly Scenario[] = [...SCENARIOS, removedAndWanted];

/** At so many writes of each scenario, chosen by the seed, an API server is late. */
export async function tryLags(
  trials: KillTrials,
  servers: TwoServers,
  scenarios: readonly Scenario[],
  extent: Extent,
): Promise<readonly Series[]> {
  const series: Series[] = [];
  for (const scenario of scenarios) series.push(await tryScenario(trials, servers, scenario, extent));
  return series;
}

async function tryScenario(
  trials: KillTrials,
  servers: TwoServers,
  scenario: Scenario,
  { runs, seed }: Extent,
): Promise<Series> {
  const reference = await trials.learn(scenario);
  const points = pointsOf(reference.counts, LAGS);
  const failures: string[] = [];
  const timings: number[] = [];
  const attempt = async (point: WritePoint<Lag>): Promise<void> => {
    servers.prepare(point.how);
    const late = { meet: () => servers.lag(point.how), mend: async () => servers.reset() };
    const took = await trials.attempt(scenario, point, reference, late);
    if (took !== undefined) timings.push(took);
  };
  for (const point of choosePoints(points, runs, seed)) {
    await attempt(point).catch(async (error: unknown) => {
      failures.push(`${describePoint(point)}: ${messageOf(error)}`);
      // It may have failed before its trouble was mended.
      await servers.reset();
    });
  }
  const what = `${scenario.name}, with two API servers of which one is late; ${points.length} points`;
  return { what, runs: timings.length + failures.length, failures, timed: 'from the write to the end state', timings };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
