import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatProblem } from '../../src/api/problem.ts';
import { loadScenario, type LoadedScenario } from '../../src/simulator/files/load-scenario.ts';
import { POLICIES, type Outcome } from '../../src/simulator/outcome.ts';
import { renderHtml } from '../../src/simulator/report/render-html.ts';
import { renderText } from '../../src/simulator/report/render-text.ts';
import { describeScenario, type Simulated } from '../../src/simulator/report/simulated.ts';
import { simulate } from '../../src/simulator/simulate.ts';
import { describeMachine } from '../support/figures.ts';
import { judgeGoals, renderGoals } from './simulate-goals.ts';

const FOLDER = join(import.meta.dirname, '../../examples/simulate');
/** For the time that it takes, and not for who is better. */
const LARGE = 'large';
const LARGE_WITHIN_S = 60;
const PUBLIC_SHAPED = /^(?:azure|burstgpt)/u;

type Print = (text: string) => void;

/** The names of the scenarios that are kept with the project, without the large one. */
export const listScenarios = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name !== LARGE)
    .sort();

/** One of them, in full. Throws for one that cannot be read. */
export async function loadExample(name: string): Promise<LoadedScenario> {
  const [trace, models] = [join(FOLDER, name, 'trace.yaml'), join(FOLDER, name, 'models.yaml')];
  const loaded = await loadScenario({ trace, models, format: 'recipe', spread: undefined });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.value;
}

/**
 * Every scenario under every policy, whether Corral meets its goals, and how long the large one takes. Writes a page where `report` names a
 * file.
 */
export async function benchSimulate(report: string | undefined, print: Print): Promise<void> {
  print(`${describeMachine()}\n\n`);
  const all: Simulated[] = [];
  for (const name of listScenarios()) {
    const { scenario } = await loadExample(name);
    const outcomes = POLICIES.map((policy) => simulate(scenario, policy));
    all.push({ scenario, outcomes });
    print(`${renderText({ scenario, outcomes })}\n`);
    for (const policy of ['corral', 'corral-by-size'] as const) {
      print(`${policy}:\n${renderGoals(judgeGoals(outcomes, PUBLIC_SHAPED.test(name), policy))}\n`);
    }
  }
  await timeLarge(print);
  if (report !== undefined) await writeFile(report, renderHtml(all));
}

async function timeLarge(print: Print): Promise<void> {
  const { scenario } = await loadExample(LARGE);
  const before = process.cpuUsage();
  const outcome: Outcome = simulate(scenario, 'corral');
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  print(`${renderText({ scenario, outcomes: [outcome] })}\n`);
  const verdict = seconds < LARGE_WITHIN_S ? 'met' : 'MISSED';
  print(
    `goal: ${describeScenario(scenario)} in less than ${LARGE_WITHIN_S} s of CPU time: ${verdict} (${seconds.toFixed(1)} s)\n`,
  );
}
