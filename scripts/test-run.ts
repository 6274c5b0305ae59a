import { availableParallelism } from 'node:os';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import type { EventData } from 'node:test';
import type { PartResult } from './test-report.ts';

/** A file of tests that runs longer hangs: it fails instead of keeping everybody waiting. */
const fileTimeoutMs = 15 * 60_000;
/** The same of a test, unless it says otherwise: it fails by its name, and the others of its file go on. */
const testTimeoutMs = 5 * 60_000;

/** What to run: one part's files and how. */
export interface TestRun {
  readonly name: string;
  readonly files: readonly string[];
  readonly parallel: boolean;
  /** Regular expressions on test names; empty: all tests. */
  readonly names: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Where it is told what comes of each test, as it comes. */
  readonly output: Writable;
}

/**
 * Runs the files, each in a process of its own, and prints them as they go.
 * A file without a test counts as failed: node:test would count it as one that passed.
 */
export async function runTests(testRun: TestRun): Promise<PartResult> {
  const started = performance.now();
  const stream = run({
    files: [...testRun.files],
    concurrency: testRun.parallel ? availableParallelism() : 1,
    timeout: fileTimeoutMs,
    execArgv: [`--test-timeout=${testTimeoutMs}`],
    env: { ...testRun.env },
    ...(testRun.names.length > 0 ? { testNamePatterns: [...testRun.names] } : {}),
  });
  const withoutTests: string[] = [];
  let summary: EventData.TestSummary | undefined;
  stream.on('test:pass', (event) => {
    if (event.name === event.file) withoutTests.push(event.name);
  });
  stream.on('test:summary', (event) => {
    if (event.file === undefined) summary = event;
  });
  const output = stream.compose(spec);
  output.pipe(testRun.output, { end: false });
  await finished(output, { cleanup: true });
  if (summary === undefined) throw new Error(`the tests of ${testRun.name} ended without a summary`);
  return judge(testRun, summary, withoutTests, (performance.now() - started) / 1000);
}

function judge(
  testRun: TestRun,
  { counts, success }: EventData.TestSummary,
  withoutTests: readonly string[],
  seconds: number,
): PartResult {
  const passed = counts.passed - withoutTests.length;
  const skipped = counts.skipped + counts.todo;
  // A hook that fails makes a run unsuccessful without failing a test.
  const failed = Math.max(counts.tests - counts.passed - skipped, success ? 0 : 1);
  const part = { name: testRun.name, passed, skipped, seconds };
  if (testRun.names.length > 0 || withoutTests.length === 0) return { ...part, failed, note: undefined };
  return { ...part, failed: failed + withoutTests.length, note: `no test in ${withoutTests.join(', ')}` };
}
