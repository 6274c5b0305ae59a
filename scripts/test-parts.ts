import { existsSync, globSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';

/** A named part of the tests. */
export interface Part {
  readonly name: string;
  /** Globs of its test files, relative to the project's folder. */
  readonly globs: readonly string[];
  /** Whether its files run side by side. */
  readonly parallel: boolean;
  /** Whether its tests need the path of a real llama-server in LLAMA_SERVER. */
  readonly needsLlamaServer: boolean;
  /** Whether its tests need a cluster, which is started once for all of them. */
  readonly needsCluster: boolean;
  /** Whether its tests search models with spin. */
  readonly needsSpin: boolean;
}

/** All parts, in the order in which they run: the quick ones first. */
export const parts: readonly Part[] = [
  {
    name: 'unit',
    globs: ['src/**/*.test.ts', 'test/unit/**/*.test.ts', 'test/docs/*.test.ts'],
    parallel: true,
    needsLlamaServer: false,
    needsCluster: false,
    needsSpin: false,
  },
  {
    name: 'tooling',
    globs: ['test/tooling/**/*.test.ts'],
    parallel: true,
    needsLlamaServer: false,
    needsCluster: false,
    needsSpin: false,
  },
  {
    name: 'spin',
    globs: ['test/protocol/**/*.test.ts'],
    parallel: true,
    needsLlamaServer: false,
    needsCluster: false,
    needsSpin: true,
  },
  // One after the other: each starts llama-servers, and their order of starts and exits is what the tests look at.
  {
    name: 'llama',
    globs: ['test/llama/**/*.test.ts', 'test/docs/llama/*.test.ts'],
    parallel: false,
    needsLlamaServer: true,
    needsCluster: false,
    needsSpin: false,
  },
  // One after the other: they share the capacity of one cluster's nodes.
  {
    name: 'cluster',
    globs: ['test/cluster/**/*.test.ts'],
    parallel: false,
    needsLlamaServer: true,
    needsCluster: true,
    needsSpin: false,
  },
];

/** What `CORRAL_REQUIRE` may name besides parts: that pods of the part `cluster` run on a real node. */
const REQUIRED_NODE = 'node';

/** Whether a stand-in for the kubelet will not do. */
export const requiresNode = (required: ReadonlySet<string>): boolean => required.has(REQUIRED_NODE);

/** Wrong use of the test command: exit code 2. */
export class UsageError extends Error {}

/**
 * The parts that may not be skipped, from `CORRAL_REQUIRE` (a comma list of part names, and `node`).
 * Throws UsageError for a name that is no part: a required part that does not exist must not look as if it had passed.
 */
export function parseRequired(list: string | undefined): ReadonlySet<string> {
  const names = (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const known = [...parts.map((part) => part.name), REQUIRED_NODE];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `CORRAL_REQUIRE: this version has no part ${unknown.map((name) => `'${name}'`).join(', ')} of the tests; it may name ${known.join(', ')}`,
    );
  }
  return new Set(names.includes(REQUIRED_NODE) ? [...names, 'cluster'] : names);
}

/**
 * The seed of this run: `CORRAL_SEED` if set (an integer from 0 to 2147483647), else `random`.
 * Throws UsageError for anything else.
 */
export function parseSeed(text: string | undefined, random: number): number {
  if (text === undefined) return random;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fff_ffff) {
    throw new UsageError(`CORRAL_SEED: must be an integer from 0 to 2147483647, not '${text}'`);
  }
  return Number(text);
}

/** What the arguments of the test command narrow it down to. Empty: everything. */
export interface Selection {
  /** Absolute paths of files and folders. */
  readonly paths: readonly string[];
  /** Regular expressions on test names. */
  readonly names: readonly string[];
}

/** An argument that exists as a file or folder is one, any other is a pattern on test names. */
export function parseSelection(args: readonly string[], cwd: string): Selection {
  const isPath = (arg: string): boolean => existsSync(resolve(cwd, arg));
  const names = args.filter((arg) => !isPath(arg));
  for (const name of names) checkPattern(name);
  return { paths: args.filter(isPath).map((arg) => resolve(cwd, arg)), names };
}

function checkPattern(pattern: string): void {
  if (pattern.startsWith('-')) {
    throw new UsageError(`${pattern}: no option; name files, folders, or regular expressions on test names`);
  }
  if (pattern.endsWith('.ts')) throw new UsageError(`${pattern}: no such test file`);
  try {
    new RegExp(pattern);
  } catch (cause) {
    throw new UsageError(`${pattern}: neither a file nor a regular expression on test names`, { cause });
  }
}

/** The part's test files below `root` that the selection leaves, as sorted absolute paths. */
export function findTestFiles(part: Part, root: string, selection: Selection): readonly string[] {
  const files = globSync([...part.globs], { cwd: root })
    .map((file) => resolve(root, file))
    .sort();
  if (selection.paths.length === 0) return files;
  return files.filter((file) => selection.paths.some((path) => file === path || file.startsWith(path + sep)));
}

/** Throws UsageError for a selected path under which no part has a test file: it would be passed over in silence. */
export function checkSelection(selection: Selection, root: string): void {
  for (const path of selection.paths) {
    const only = { paths: [path], names: [] };
    if (parts.every((part) => findTestFiles(part, root, only).length === 0)) {
      const what = statSync(path).isDirectory() ? 'holds no test file' : 'is no test file';
      throw new UsageError(`${path}: ${what} of any part (${parts.flatMap((part) => part.globs).join(', ')})`);
    }
  }
}
