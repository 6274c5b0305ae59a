import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tellRests, type Rests } from '../soak-trials/at-rest.ts';
import { figuresOf, SAYS_FIGURES, type Figures } from '../soak-trials/figures.ts';
import { loadModels } from './loaded-models.ts';
import { OperatorPair } from './operator-pair.ts';
import type { Stage } from './stage.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** What was begun has ended by then; the order of use is written once a minute. */
const SETTLED_AFTER_MS = 65_000;

/** What both operators hold is looked at so often. */
const LOOKS = 10;
const WARM = 4;
const MINUTE_MS = 60_000;

/** Nothing happens for so long, in milliseconds, and so nothing is written but the Lease, and what the operators hold does not grow. */
export async function tryQuiet(
  t: Cleanup,
  stage: Stage,
  lasting: number,
  settling = SETTLED_AFTER_MS,
): Promise<readonly Series[]> {
  const { audit } = stage;
  const pair = await OperatorPair.start(t, stage, [SAYS_FIGURES, SAYS_FIGURES]);
  await loadModels(t, stage, { id: 'quiet', busy: NAMES, unloaded: NAMES.map((name) => `${name}-unloaded`) });
  await delay(settling);
  await audit.readOn();
  const [since, readsBefore] = [audit.length, audit.reads];
  const cpuBefore = pair.leader.operator.cpuSeconds();
  const rests = await lookAgain(pair, lasting);
  await audit.readOn();
  const writes = audit.since(since);
  const failures = writes.filter(({ resource }) => resource !== 'leases').map(({ verb, path }) => `${verb} ${path}`);
  const seconds = lasting / 1000;
  const calls = (writes.length + audit.reads - readsBefore) / seconds;
  const cpu = (100 * (pair.leader.operator.cpuSeconds() - cpuBefore)) / seconds;
  const what = `two operators and five loaded models, in which nothing happens for ${seconds} s: ${writes.length} writes of the Lease, ${calls.toFixed(1)} calls per second in all, ${cpu.toFixed(1)} % of a core for the one that leads`;
  const quiet = { what, runs: 1, failures, timed: '', timings: [] };
  return [quiet, ...rests.map((one) => tellRests(one, lasting / MINUTE_MS / LOOKS))];
}

/** Resolves after so long, in milliseconds. */
async function lookAgain({ leader, standby }: OperatorPair, lasting: number): Promise<readonly Rests[]> {
  const [leads, stands]: [Figures[], Figures[]] = [[], []];
  for (let look = 0; look <= LOOKS; look += 1) {
    if (look > 0) await delay(lasting / LOOKS);
    leads.push(await figuresOf(leader.operator));
    stands.push(await figuresOf(standby.operator));
  }
  return [
    { name: 'the operator that leads', warm: WARM, looks: leads },
    { name: 'the one that stands by', warm: WARM, looks: stands },
  ];
}
