import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { findLlamaServer } from './find-llama-server.ts';
import { whyNoSpin } from './find-spin.ts';
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
import { addResults, renderReport } from './test-report.ts';
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
  /** Resolves when nothing runs beside the cluster's tests any more. */
  readonly isQuiet: Promise<unknown>;
}

function readPlan(): Plan {
  const selection = parseSelection(process.argv.slice(2), process.cwd());
  checkSelection(selection, root);
  return {
    seed: parseSeed(process.env['CORRAL_SEED'], randomInt(0x7fff_ffff)),
    required: parseRequired(process.env['CORRAL_REQUIRE']),
    selection,
    isQuiet: Promise.resolve(),
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
    runBesideOwnPlanes({ ...testRun, env: { ...testRun.env, ...env } }, plan),
  );
  switch (outcome.kind) {
    case 'absent':
      return skipPart(part, testRun.files, plan, outcome.reason);
    case 'done':
      return outcome.complaint === undefined ? outcome.result : complainOf(outcome.result, outcome.complaint);
  }
}

/** Tests that start control planes of their own, and have nothing of the cluster that the others share. */
const OWN_PLANES = join(root, 'test/cluster/planes/');

/** They run beside those that share the cluster, one after the other as these do, and once nothing else does. */
async function runBesideOwnPlanes(testRun: TestRun, { isQuiet }: Plan): Promise<PartResult> {
  const own = testRun.files.filter((file) => file.startsWith(OWN_PLANES));
  const shared = testRun.files.filter((file) => !file.startsWith(OWN_PLANES));
  if (own.length === 0 || shared.length === 0) return runTests(testRun);
  const [beside, result] = await Promise.all([
    isQuiet.then(async () => keepingOutput(async (output) => runTests({ ...testRun, files: own, output }))),
    runTests({ ...testRun, files: shared }),
  ]);
  return addResults(result, beside);
}

/** What the observer of the cluster has seen fails the part, whatever its tests say. */
function complainOf(result: PartResult, complaint: string): PartResult {
  const note = result.note === undefined ? complaint : `${result.note}\n${complaint}`;
  return { ...result, failed: result.failed + 1, note };
}

async function runPart(part: Part, plan: Plan, output: Writable): Promise<PartResult | undefined> {
  const files = findTestFiles(part, root, plan.selection);
  if (files.length === 0 && plan.selection.paths.length > 0) return undefined;
  if (files.length === 0) {
    const note = `a part with no tests (${part.globs.join(', ')})`;
    return { name: part.name, passed: 0, failed: 1, skipped: 0, seconds: 0, note };
  }
  output.write(`\n== ${part.name}\n`);
  const env = { ...process.env, CORRAL_SEED: String(plan.seed) };
  const testRun = { name: part.name, files, parallel: part.parallel, names: plan.selection.names, env, output };
  const noSpin = part.needsSpin ? whyNoSpin() : undefined;
  if (noSpin !== undefined) return skipPart(part, files, plan, noSpin);
  if (!part.needsLlamaServer) return runTests(testRun);
  const llamaServer = findLlamaServer({ build: true });
  if (llamaServer === undefined) return skipPart(part, files, plan, NO_LLAMA_SERVER);
  const withLlamaServer = { ...testRun, env: { ...env, LLAMA_SERVER: llamaServer } };
  return part.needsCluster ? runInCluster(part, withLlamaServer, plan) : runTests(withLlamaServer);
}

async function runInTurn(some: readonly Part[], plan: Plan, output: Writable): Promise<readonly PartResult[]> {
  const results: PartResult[] = [];
  for (const part of some) {
    const result = await runPart(part, plan, output);
    if (result !== undefined) results.push(result);
  }
  return results;
}

/**
 * The unit tests first: who has broken them need not wait for a cluster. The others run beside the cluster's, which mostly wait for
 * nodes and pods.
 */
async function runParts(plan: Plan): Promise<readonly PartResult[]> {
  const isFirst = ({ name }: Part): boolean => name === 'unit';
  const first = await runInTurn(parts.filter(isFirst), plan, process.stdout);
  const [inCluster, others] = [
    parts.filter(({ needsCluster }) => needsCluster),
    parts.filter((part) => !isFirst(part) && !part.needsCluster),
  ];
  const isAlone = inCluster.every((part) => findTestFiles(part, root, plan.selection).length === 0);
  if (!isAlone) await fillClusterCaches();
  const isQuiet = isAlone
    ? runInTurn(others, plan, process.stdout)
    : keepingOutput(async (output) => runInTurn(others, plan, output));
  const [beside, last] = await Promise.all([isQuiet, runInTurn(inCluster, { ...plan, isQuiet }, process.stdout)]);
  return [...first, ...beside, ...last];
}

/** No test runs beside a build: it takes all cores, and a test that waits a minute for a second's work says nothing. */
async function fillClusterCaches(): Promise<void> {
  const { fillCaches } = await import('../test/cluster/support/with-cluster.ts');
  await fillCaches();
}

/** Prints what comes of it when it is through. */
async function keepingOutput<T>(work: (output: Writable) => Promise<T>): Promise<T> {
  const kept = new PassThrough();
  const said = text(kept);
  try {
    return await work(kept);
  } finally {
    kept.end();
    process.stdout.write(await said);
  }
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
