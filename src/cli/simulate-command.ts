import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { formatProblem } from '../api/problem.ts';
import type { SimulateFlags } from './simulate-options.ts';
import { loadScenario } from '../simulator/files/load-scenario.ts';
import type { Checked } from '../simulator/files/checked-yaml.ts';
import type { Spread } from '../simulator/files/trace-options.ts';
import { POLICIES } from '../simulator/outcome.ts';
import { renderHtml } from '../simulator/report/render-html.ts';
import { renderSvg } from '../simulator/report/render-svg.ts';
import { renderText } from '../simulator/report/render-text.ts';
import type { Simulated } from '../simulator/report/simulated.ts';
import { simulate } from '../simulator/simulate.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const FIRST_SEED = 1;

interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * `corral simulate`: what the requests of a trace would have met with under each policy. The table goes to stdout, all else to
 * stderr. Returns the exit code: 0, 1 where the report cannot be written, or 2 for what the user has to change.
 */
export async function simulateCommand(flags: SimulateFlags, { stdout, stderr }: Streams): Promise<number> {
  const spread = spreadOf(flags);
  const loaded = spread.ok ? await loadScenario({ ...flags, spread: spread.value }) : spread;
  if (!loaded.ok) {
    for (const problem of loaded.problems) stderr.write(`corral simulate: ${formatProblem(problem)}\n`);
    return EXIT_USAGE;
  }
  const { scenario, notes } = loaded.value;
  for (const note of notes) stderr.write(`corral simulate: ${flags.trace}: ${note}\n`);
  const policies = flags.policy.length === 0 ? POLICIES : flags.policy;
  const simulated = { scenario, outcomes: policies.map((policy) => simulate(scenario, policy)) };
  stdout.write(flags.json === true ? renderJson(simulated) : renderText(simulated));
  return flags.report === undefined ? 0 : writeReport(flags.report, simulated, stderr);
}

function spreadOf({ spread, seed }: SimulateFlags): Checked<Spread | undefined> {
  if (spread !== undefined)
    return { ok: true, value: { exponent: spread, seed: seed === undefined ? FIRST_SEED : seed } };
  if (seed === undefined) return { ok: true, value: undefined };
  const reason = 'without --spread nothing is left to chance';
  return { ok: false, problems: [{ file: 'command line', field: '--seed', reason, fix: 'Leave it out.' }] };
}

const renderJson = ({ scenario, outcomes }: Simulated): string =>
  `${JSON.stringify({ scenario: scenario.name, outcomes }, null, 2)}\n`;

async function writeReport(file: string, simulated: Simulated, stderr: Writable): Promise<number> {
  try {
    await writeFile(file, file.endsWith('.svg') ? renderSvg(simulated) : renderHtml([simulated]));
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`corral simulate: ${file}: the report cannot be written: ${reason}\n`);
    return EXIT_FAILED;
  }
}
