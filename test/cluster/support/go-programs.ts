import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inClusterCache } from './cluster-cache.ts';
import { run } from './run.ts';

/** Where programs lie, or why there are none and what to do. */
export type Programs =
  { readonly kind: 'found'; readonly folder: string } | { readonly kind: 'absent'; readonly reason: string };

/** Programs of the tests that are built with Go, from a module whose go.sum says what each of its files has to be. */
export interface GoPrograms {
  /** For whoever waits. */
  readonly title: string;
  /** How long it takes on 2 cores. */
  readonly takes: string;
  /** The module's folder. */
  readonly module: string;
  /** Where they are kept. */
  readonly folder: string;
  readonly names: readonly string[];
  /** The arguments of `go build` that build them into a folder. */
  readonly args: (folder: string) => readonly string[];
  /** What is to be done to the folder then. */
  readonly finish?: (folder: string) => Promise<void>;
}

/** The names that a folder has not got. */
export const missingIn = (folder: string, names: readonly string[]): readonly string[] =>
  names.filter((name) => !existsSync(join(folder, name)));

/** Builds programs where they are not there yet, and returns their folder. Throws if the build fails. */
export async function buildOnce(programs: GoPrograms, go: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { folder, names } = programs;
  return inClusterCache(env, async () => {
    // Another process may have built them while this one waited.
    if (missingIn(folder, names).length > 0) await build(programs, go, env);
    return folder;
  });
}

/** The folder appears when all of it is there. */
async function build(programs: GoPrograms, go: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { title, takes, module, folder, args, finish } = programs;
  process.stderr.write(`building ${title} with ${go}: ${takes}, once\n`);
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const argv: [string, ...string[]] = [go, 'build', '-trimpath', '-v', ...args(draft)];
  await run(argv, { cwd: module, env: { ...env, CGO_ENABLED: '0' }, stderr: 'show' });
  await finish?.(draft);
  await mkdir(dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
}
