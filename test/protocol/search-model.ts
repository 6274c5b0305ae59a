import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The model of the drain protocol. */
export const MODEL = join(import.meta.dirname, 'drain.pml');

/** What is searched of the model. */
export interface Search {
  /** What `#define` makes of it: `NAME` or `NAME=value`. */
  readonly defines: readonly string[];
  /**
   * `states`: all that can be. `runs`: also that each run ends. `shortest`: as `states`, in the order of their distance from
   * the start, so that what is found is found on the shortest way.
   */
  readonly what: 'states' | 'runs' | 'shortest';
}

/** What a search has found. */
export interface Found {
  readonly states: number;
  /** Steps of the longest way that was gone. */
  readonly depth: number;
  readonly milliseconds: number;
  /** Every state was kept as it is and looked at. False after the first thing that is wrong. */
  readonly isWhole: boolean;
  /** What does not hold, in the model's words; `undefined`: all of it holds. */
  readonly broken: string | undefined;
  /** The steps that lead there, in the model's words. */
  readonly steps: readonly string[];
}

const COMPILED_FOR: Record<Search['what'], readonly string[]> = {
  states: ['-O1', '-DSAFETY'],
  runs: ['-O1', '-DNP'],
  // It finds at once what it looks for: compiling well would take longer.
  shortest: ['-O0', '-DSAFETY', '-DBFS'],
};
const MOST_MEMORY_MIB = 8_000;
const MOST_DEPTH = 100_000;
const MOST_MS = 20 * 60_000;

/** Searches all of it, with every state kept in full. Throws if spin or the compiler will not have it. */
export async function searchModel({ defines, what }: Search): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-spin-'));
  try {
    await copyFile(MODEL, join(folder, 'drain.pml'));
    const given = defines.map((define) => `-D${define}`);
    await run('spin', ['-a', ...given, 'drain.pml'], { cwd: folder });
    const options = ['-w', '-DNOFAIR', `-DMEMLIM=${MOST_MEMORY_MIB}`, ...COMPILED_FOR[what]];
    await run('gcc', [...options, '-o', 'pan', 'pan.c'], { cwd: folder });
    const begun = performance.now();
    const output = await runPan(folder, what);
    const milliseconds = performance.now() - begun;
    const replay = numberIn(output, /errors: (\d+)/u) === 0 ? undefined : await replayed(folder, given);
    return { ...readOutput(output), milliseconds, ...(await brokenBy(output, replay)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runPan(cwd: string, what: Search['what']): Promise<string> {
  const args = ['-n', `-m${MOST_DEPTH}`, '-w22', ...(what === 'runs' ? ['-l'] : [])];
  const { stdout } = await run(join(cwd, 'pan'), args, { cwd, maxBuffer: 16 * 1024 * 1024, timeout: MOST_MS });
  return stdout;
}

/** Plays the steps that have led to what was found. */
async function replayed(cwd: string, given: readonly string[]): Promise<string> {
  const { stdout } = await run('spin', ['-t', ...given, 'drain.pml'], { cwd, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/** What a search prints, read. Throws for what is no report of a search. */
export function readOutput(output: string): Pick<Found, 'states' | 'depth' | 'isWhole'> {
  const isExact = /^Full statespace search for:$/mu.test(output);
  const isCut = /Search not completed|max search depth too small|reached -DMEMLIM bound|out of memory/u.test(output);
  return {
    states: numberIn(output, /^ *(\d+(?:\.\d+e\+\d+)?) states, stored/mu),
    depth: numberIn(output, /depth reached (\d+)/u),
    isWhole: isExact && !isCut,
  };
}

function numberIn(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`this is no report of a search, without ${String(pattern)}:\n${output}`);
  return Number(found);
}

const ACTORS = /^ +((?:edge|client|operator|API server|kubelet|somebody|a write)\b.*)$/gmu;

/** The line of the model that was broken says in its comment what that means. */
async function brokenBy(output: string, replay: string | undefined): Promise<Pick<Found, 'broken' | 'steps'>> {
  if (replay === undefined) return { broken: undefined, steps: [] };
  const steps = [...replay.matchAll(ACTORS)].map(([, step = '']) => step);
  if (output.includes('non-progress cycle')) return { broken: 'a run has no end', steps };
  const line = numberIn(replay, /drain\.pml:(\d+), Error: assertion violated/u);
  const text = (await readFile(MODEL, 'utf8')).split('\n').at(line - 1);
  const meant = text === undefined ? undefined : /assert\(.*\/\* (.+) \*\//u.exec(text)?.[1];
  return { broken: meant ?? `line ${line} of the model`, steps };
}
