import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { plant, type PlantedFault } from './planted-fault.ts';

/** What is tried on each fault, the quick ones first. */
export const ALL_TESTS: readonly string[] = [
  'src/operator/{drain-verdict,edge-pulse}.test.ts',
  'src/planner/*.test.ts',
  'src/activity/*.test.ts',
  'src/planner/*.property.test.ts',
  'test/unit/planner-model*.test.ts',
];
/** A fault that makes a test go on for ever is found as well. */
const FILE_TIMEOUT_MS = 120_000;

/** The first test that failed, or none. */
export interface Verdict {
  readonly killedBy: { readonly test: string; readonly file: string } | undefined;
  readonly ms: number;
}

/** A copy of the project that faults are planted in, so that nothing happens to the project itself. */
export class HuntingGround {
  readonly #root: string;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tests: readonly string[];

  /** `root`: the project's folder. `seed`: of the random tests. `tests`: globs of test files, the quick ones first. */
  constructor(root: string, seed: number, tests: readonly string[]) {
    this.#tests = tests;
    this.#root = root;
    this.#folder = mkdtempSync(join(tmpdir(), 'corral-mutants-'));
    this.#env = { ...process.env, CORRAL_SEED: String(seed) };
    for (const part of ['src', 'test/unit', 'package.json']) {
      cpSync(join(root, part), join(this.#folder, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Runs the tests on a fault, or on the project as it is, until one fails. */
  async try(fault: PlantedFault | undefined): Promise<Verdict> {
    const started = performance.now();
    const undo = fault === undefined ? undefined : this.#plant(fault);
    try {
      const files = this.#tests.flatMap((glob) => globSync(glob, { cwd: this.#folder }).sort());
      for (const file of new Set(orderBySpeed(files))) {
        const test = await this.#firstFailure(file);
        if (test !== undefined) return { killedBy: { test, file }, ms: performance.now() - started };
      }
      return { killedBy: undefined, ms: performance.now() - started };
    } finally {
      undo?.();
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #plant(fault: PlantedFault): () => void {
    const path = join(this.#folder, fault.file);
    const original = readFileSync(join(this.#root, fault.file), 'utf8');
    writeFileSync(path, plant(fault, original));
    return () => {
      writeFileSync(path, original);
    };
  }

  async #firstFailure(file: string): Promise<string | undefined> {
    const ended = new AbortController();
    const stream = run({
      files: [join(this.#folder, file)],
      cwd: this.#folder,
      env: this.#env,
      timeout: FILE_TIMEOUT_MS,
      signal: ended.signal,
    });
    let failed: string | undefined;
    stream.on('test:fail', ({ name }) => {
      failed ??= name;
      ended.abort();
    });
    await finished(stream.resume());
    return failed;
  }
}

/** Properties after examples: they take longer. */
const orderBySpeed = (files: readonly string[]): string[] => [
  ...files.filter((file) => !isSlow(file)),
  ...files.filter(isSlow),
];
const isSlow = (file: string): boolean => file.includes('.property.') || file.startsWith('test/');
