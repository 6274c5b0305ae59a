import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { findLlamaServer } from './find-llama-server.ts';
import {
  checkSelection,
  findTestFiles,
  parseRequired,
  parseSeed,
  parseSelection,
  parts,
  requiresNode,
  UsageError,
} from './test-parts.ts';
import { renderReport } from './test-report.ts';
import { runTests } from './test-run.ts';
import type { TestRun } from './test-run.ts';
import type { Part, Selection } from './test-parts.ts';
import type { PartResult } from './test-report.ts';

const root = join(import.meta.dirname, '..');

/** What all parts of one run share. */
interface Plan {
  readonly seed: number;
  readonly required: ReadonlySet<string>;
  readonly selection: Selection;
}

function readPlan(): Plan {
  const selection = parseSelection(process.argv.slice(2), process.cwd());
  checkSelection(selection, root);
  return {
    seed: parseSeed(process.env['CORRAL_SEED'], randomInt(0x7fff_ffff)),
    required: parseRequired(process.env['CORRAL_REQUIRE']),
    selection,
  };
}

const NO_LLAMA_SERVER = 'no llama-server (the reason is above); fix: what it names there, or set LLAMA_SERVER to a llama-server'; // prettier-ignore

function skipPart(part: Part, files: readonly string[], plan: Plan, why: string): PartResult {
  const result = { name: part.name, passed: 0, failed: 0, skipped: files.length, seconds: 0 };
  if (!plan.required.has(part.name)) return { ...result, note: `skipped: ${why}` };
  return { ...result, failed: 1, note: `failed, because CORRAL_REQUIRE demands it: ${why}` };
}

/** The cluster's code is loaded for its part alone: what is wrong with it stops no other. */
async function runInCluster(part: Part, testRun: TestRun, plan: Plan): Promise<PartResult> {
  const { withCluster } = await import('../test/cluster/support/with-cluster.ts');
  const outcome = await withCluster({ requireNode: requiresNode(plan.required) }, async (env) =>
    runTests({ ...testRun, env: { ...testRun.env, ...env } }),
  );
  switch (outcome.kind) {
    case 'absent':
      return skipPart(part, testRun.files, plan, outcome.reason);
    case 'done':
      return outcome.result;
  }
}

async function runPart(part: Part, plan: Plan): Promise<PartResult | undefined> {
  const files = findTestFiles(part, root, plan.selection);
  if (files.length === 0 && plan.selection.paths.length > 0) return undefined;
  if (files.length === 0) {
    const note = `a part with no tests (${part.globs.join(', ')})`;
    return { name: part.name, passed: 0, failed: 1, skipped: 0, seconds: 0, note };
  }
  process.stdout.write(`\n== ${part.name}\n`);
  const env = { ...process.env, CORRAL_SEED: String(plan.seed) };
  const testRun = { name: part.name, files, parallel: part.parallel, names: plan.selection.names, env };
  if (!part.needsLlamaServer) return runTests(testRun);
  const llamaServer = findLlamaServer({ build: true });
  if (llamaServer === undefined) return skipPart(part, files, plan, NO_LLAMA_SERVER);
  const withLlamaServer = { ...testRun, env: { ...env, LLAMA_SERVER: llamaServer } };
  return part.needsCluster ? runInCluster(part, withLlamaServer, plan) : runTests(withLlamaServer);
}

async function runParts(plan: Plan): Promise<readonly PartResult[]> {
  const results: PartResult[] = [];
  for (const part of parts) {
    const result = await runPart(part, plan);
    if (result !== undefined) results.push(result);
  }
  return results;
}

/** Whether the run may count as passed; says on stderr why not, where no test did. */
function succeeded(results: readonly PartResult[]): boolean {
  if (results.every((result) => result.passed + result.failed + result.skipped === 0)) {
    process.stderr.write('no test matches the given names\n');
    return false;
  }
  return results.every((result) => result.failed === 0);
}

async function main(): Promise<number> {
  const plan = readPlan();
  process.stdout.write(`CORRAL_SEED=${plan.seed}\n`);
  const results = await runParts(plan);
  process.stdout.write(renderReport(results));
  if (succeeded(results)) return 0;
  process.stdout.write(`failed; the same random choices again: CORRAL_SEED=${plan.seed} npm test\n`);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`npm test: ${error.message}\n`);
  process.exitCode = 2;
}
