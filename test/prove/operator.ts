import { withCleanup } from '../support/cleanup-stack.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { tryContention } from './operator-trials/contention.ts';
import { tryDeletedNodes } from './operator-trials/deleted-nodes.ts';
import { tryClocks, tryHandOvers } from './operator-trials/hand-overs.ts';
import { KillTrials } from './operator-trials/kill-trials.ts';
import { tryLease, tryScenario } from './operator-trials/kills.ts';
import { LAG_SCENARIOS, tryLags } from './operator-trials/lags.ts';
import { tryOutage } from './operator-trials/outage.ts';
import { tryQuiet } from './operator-trials/quiet.ts';
import { SCENARIOS, type Scenario } from './operator-trials/scenarios.ts';
import { setStage, type Stage } from './operator-trials/stage.ts';
import { TwoServers } from './operator-trials/two-servers.ts';
import { SLEEPS, trySleep } from './operator-trials/zombies.ts';
import type { Extent, ProofPart, Series } from './proof.ts';

/** Of the runs: hand-overs of each kind, those with wrong clocks, and times that the one that leads falls asleep in each way. */
const HAND_OVERS = 1 / 8;
const CLOCKS = 1 / 40;
const SLEEPS_EACH = 1 / 200;
const LEASES = 1 / 20;
/** At so many writes of all scenarios together an API server is late. */
const LAGS = 1 / 4;
const TURNS = 1 / 20;
/** All at once. */
const DELETED_NODES = 1 / 100;
const OUTAGE_MS = 300_000;
const QUIET_MS = 600_000;

const shareOf = (runs: number, share: number): number => Math.ceil(runs * share);

/** On a stage of its own. The operators of a part end before the stage does. */
const onStage = async (work: (t: Cleanup, stage: Stage) => Promise<readonly Series[]>): Promise<readonly Series[]> =>
  withCleanup(async (outer) => {
    const stage = await setStage(outer);
    return withCleanup(async (t) => work(t, stage));
  });

async function tryKills(t: Cleanup, stage: Stage, scenario: Scenario, extent: Extent): Promise<readonly Series[]> {
  const trials = await KillTrials.start(t, stage);
  const series = await tryScenario(trials, scenario, extent);
  await trials.finish();
  return [series];
}

async function proveLags(t: Cleanup, stage: Stage, { runs, seed }: Extent): Promise<readonly Series[]> {
  const trials = await KillTrials.start(t, stage);
  const servers = await TwoServers.start(t, stage, trials.keeper.proxy);
  const series = await tryLags(trials, servers, LAG_SCENARIOS, {
    runs: shareOf(runs, LAGS / LAG_SCENARIOS.length),
    seed,
  });
  await trials.finish();
  return series;
}

const [EVICT] = SCENARIOS;

/** Kills of the operator at each of its writes, in so many scenarios; then what else becomes of leaders and of their API server. */
export const OPERATOR_PARTS: readonly ProofPart[] = [
  ...SCENARIOS.map((scenario): ProofPart => ({
    name: scenario.name,
    prove: async ({ runs, seed }) =>
      onStage(async (t, stage) => tryKills(t, stage, scenario, { runs: shareOf(runs, 1 / SCENARIOS.length), seed })),
  })),
  {
    name: 'lease',
    prove: async ({ runs, seed }) =>
      onStage(async (t, stage) => {
        if (EVICT === undefined) throw new Error('no scenario');
        const trials = await KillTrials.start(t, stage);
        const series = await tryLease(trials, EVICT, { runs: shareOf(runs, LEASES), seed });
        await trials.finish();
        return series;
      }),
  },
  { name: 'two-servers', prove: async (extent) => onStage(async (t, stage) => proveLags(t, stage, extent)) },
  { name: 'rivals', prove: async ({ runs }) => onStage(async (t, stage) => [await tryContention(t, stage, shareOf(runs, TURNS))]) }, // prettier-ignore
  { name: 'hand-overs', prove: async ({ runs }) => onStage(async (t, stage) => tryHandOvers(t, stage, shareOf(runs, HAND_OVERS))) }, // prettier-ignore
  { name: 'clocks', prove: async ({ runs }) => onStage(async (t, stage) => tryClocks(t, stage, shareOf(runs, CLOCKS))) }, // prettier-ignore
  ...SLEEPS.map((sleep): ProofPart => ({
    name: `${sleep.kind}-${sleep.milliseconds / 1000}s`,
    prove: async ({ runs }) => onStage(async (t, stage) => [await trySleep(t, stage, sleep, shareOf(runs, SLEEPS_EACH))]), // prettier-ignore
  })),
  ...([1, 2] as const).map((operators): ProofPart => ({
    name: `outage-${operators}`,
    prove: async () => onStage(async (t, stage) => [await tryOutage(t, stage, operators, OUTAGE_MS)]),
  })),
  { name: 'deleted-nodes', prove: async ({ runs }) => onStage(async (t, stage) => [await tryDeletedNodes(t, stage, shareOf(runs, DELETED_NODES))]) }, // prettier-ignore
  { name: 'quiet', prove: async () => onStage(async (t, stage) => tryQuiet(t, stage, QUIET_MS)) },
];
