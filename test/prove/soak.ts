import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../../src/testing/hostile-bodies.ts';
import { UsageError } from '../../scripts/test-parts.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { newAgent } from './drain-trials/ask-stub.ts';
import { setDrainStage, type DrainStage, type StageSize } from './drain-trials/drain-stage.ts';
import { drawAny, Load, oneOf, type LoadParts } from './drain-trials/load.ts';
import { untilNoModel } from './drain-trials/model-pods.ts';
import type { CorralProcess } from './operator-trials/operator-process.ts';
import type { Extent, Proof, Series } from './proof.ts';
import { FEWEST_LOOKS_WARM, tellRests } from './soak-trials/at-rest.ts';
import { DISTURBANCES } from './soak-trials/disturbances.ts';
import { figuresOf, SAYS_FIGURES, type Figures } from './soak-trials/figures.ts';

/**
 * Everything goes to zero when nobody asks. The guards wait as long as in a pod, so that no edge is stopped or cut off for longer: who
 * hears later than that has a proof of its own (`prove -- drain`, part `astray`).
 */
const SIZE: StageSize = { edges: 3, clients: 4, models: 24, room: 8, idleTimeout: '3s', guardMs: 5_000 };
/** A round of a minute: so long things go wrong, in milliseconds, and the rest of it nobody asks for anything. */
const ROUGH_MS = 40_000;
/** When the last pod is gone, connections that nobody uses are closed within this. */
const SETTLED_AFTER_MS = 10_000;
const REST_MS = 4_000;
const PAUSE_MS = 1_500;
const MINUTE_MS = 60_000;
/** In characters: it may list all pods. */
const LONGEST_FAULT = 500;
/** Minutes: for 15 of them an edge keeps the series of a model that is declared no more. */
const WARM = 17;
const FEWEST = WARM + FEWEST_LOOKS_WARM;

interface Look {
  readonly name: string;
  readonly process: CorralProcess;
  readonly figures: Figures;
}

/** What a round has told. */
interface Round {
  readonly wholes: number;
  readonly timings: readonly number[];
  readonly disturbances: number;
  /** Leaders that could not renew their Lease in time: the machine was too busy. */
  readonly lostLeads: number;
  readonly failures: readonly string[];
  /** What each process held at its end. */
  readonly rest: readonly Look[];
}

/** `runs`: minutes. Everything that goes wrong without ending a process, by chance, and what the processes hold when nothing is asked of them. */
export const proveSoak: Proof = async ({ runs, seed }) => {
  if (runs < FEWEST) throw new UsageError(`--runs: minutes; at least ${FEWEST}, since fewer looks tell nothing`); // prettier-ignore
  return withCleanup(async (t) => {
    const stage = await setDrainStage(t, SIZE, SAYS_FIGURES);
    const began = performance.now();
    const rounds: Round[] = [];
    for (let number = 0; number < runs; number += 1) rounds.push(await playRound(stage, { runs: number, seed: seed + number })); // prettier-ignore
    const minutes = (performance.now() - began) / MINUTE_MS / runs;
    return [tell(rounds, stage), ...tellAll(rounds, minutes), await stage.judge()];
  });
};

/** `runs`: its number. */
const playRound = async (stage: DrainStage, extent: Extent): Promise<Round> =>
  withCleanup(async (t) => {
    const random = randomFrom(extent.seed);
    const load = new Load(t, partsOf(stage, extent));
    const agent = newAgent();
    t.after(async () => agent.destroy());
    const failures: string[] = [];
    const end = performance.now() + ROUGH_MS;
    let [disturbances, lostLeads] = [0, 0];
    for (; performance.now() < end; disturbances += 1) {
      const [name, disturb] = oneOf([...DISTURBANCES], random);
      const id = `passing-${extent.runs}-${disturbances}`;
      const faults = await disturb({ stage, agent, random, id });
      failures.push(...faults.map((fault) => `${name}: ${fault}`));
      await delay(random(PAUSE_MS));
      lostLeads += await replaceLost(stage);
    }
    await load.stop();
    const { wholes, timings, faults } = load;
    failures.push(...faults.map((fault) => `${fault.url}: ${fault.what}`));
    const ended = await endLoads(stage);
    failures.push(...ended.faults);
    lostLeads += ended.lostLeads;
    await delay(SETTLED_AFTER_MS);
    lostLeads += await replaceLost(stage);
    return { wholes, timings, disturbances, lostLeads, failures, rest: await lookAll(stage) };
  });

/** A leader that has lost its lead ends, and a kubelet starts it again. Resolves with how many there were. Throws if one has ended otherwise. */
async function replaceLost({ operators }: DrainStage): Promise<0 | 1> {
  const { operator, name } = operators.leader;
  if (operator.isRunning) return 0;
  const { code, stderr } = await operator.exited;
  const isLost = operator.log.all({ msg: 'the lead is lost: this process ends, to be started again' }).length > 0;
  if (!isLost) throw new Error(`${name} has ended with ${String(code)}: ${stderr}`);
  await operators.handOver('left alone');
  return 1;
}

const partsOf = ({ edges, models }: DrainStage, { runs, seed }: Extent): LoadParts => {
  const any = drawAny(models);
  return {
    draw: (random, client, id) => ({ ...any(random, client, `${runs}-${id}`), rest: random(REST_MS) }),
    doors: Array.from({ length: SIZE.edges * SIZE.clients }, (_, client) => () => edges.doorOf(client % SIZE.edges)),
    seed,
  };
};

/** Resolves when no model is loaded, or is still loaded after a time in which it should have gone: that is a failure among others. */
async function endLoads(
  stage: DrainStage,
): Promise<{ readonly lostLeads: number; readonly faults: readonly string[] }> {
  const ending = untilNoModel(stage.pods).then(
    () => [],
    (error: unknown) => [String(error).slice(0, LONGEST_FAULT)],
  );
  for (let lostLeads = 0; ; lostLeads += await replaceLost(stage)) {
    // Nobody unloads anything where all operators have ended, since the machine was too busy for them.
    const faults = await Promise.race([ending, delay(PAUSE_MS, undefined)]);
    if (faults !== undefined) return { lostLeads, faults };
  }
}

async function lookAll({ edges, operators }: DrainStage): Promise<readonly Look[]> {
  const processes: [string, CorralProcess][] = [
    [`${operators.leader.name}, the leader`, operators.leader.operator],
    [`${operators.standby.name}, which stands by`, operators.standby.operator],
  ];
  for (const [place, edge] of edges.all.entries()) processes.push([`edge ${place + 1}`, edges.processOf(edge)]);
  return Promise.all(processes.map(async ([name, process]) => ({ name, process, figures: await figuresOf(process) })));
}

function tell(rounds: readonly Round[], { stubs }: DrainStage): Series {
  const count = (of: (round: Round) => number): number => rounds.reduce((sum, round) => sum + of(round), 0);
  const lostLeads = count((round) => round.lostLeads);
  const more = lostLeads === 0 ? '' : `; ${lostLeads} leaders that lost their lead, since the machine was too busy`;
  return {
    what: `${rounds.length} minutes, in which ${count((round) => round.disturbances)} things go wrong: requests, all whole, each generated once${more}`,
    runs: count((round) => round.wholes),
    failures: [...rounds.flatMap(({ failures }) => failures), ...stubs.faults],
    timed: 'an answer that is no stream',
    timings: rounds.flatMap(({ timings }) => timings),
  };
}

/** One row for each process and role: one that was started anew is another one, and who begins to lead does much for the first time. */
function tellAll(rounds: readonly Round[], minutes: number): readonly Series[] {
  const byProcess = Map.groupBy(
    rounds.flatMap(({ rest }) => rest),
    ({ process }) => process,
  );
  const series = [...byProcess.values()].flatMap((looks) => [...Map.groupBy(looks, ({ name }) => name)]);
  return series.map(([name, looks]) =>
    tellRests({ name, warm: WARM, looks: looks.map(({ figures }) => figures) }, minutes),
  );
}
