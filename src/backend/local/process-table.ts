import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A running process, as far as it can be told from outside. */
export interface ProcessRow {
  readonly pid: number;
  /** Its parent, the parent of that one, and so on up to the first process. */
  readonly ancestors: readonly number[];
  readonly commandLine: readonly string[];
}

/** Where a process stands among the others. */
interface Place {
  readonly parent: number;
  readonly group: number;
}

/** How often a process is looked at that is to end: what is no child of this one tells nobody of its end. */
export const LOOK_EVERY_MS = 10;
/** What outlives SIGKILL for so long hangs in the kernel, or is somebody else's: no waiting is known to end it. */
export const GONE_WITHIN_MS = 5_000;
/** No chain of parents is longer, but one that was put together from processes that have ended meanwhile. */
const MOST_ANCESTORS = 1_000;
/** The parent of the first process, and of those that came in from another pid namespace. */
const NOBODY = 0;
const FIRST = 1;
/** How often a process whose ancestors end while they are looked at is looked at anew. */
const LOOKS_AT_ANCESTORS = 10;

/** Waits until it runs no more, but not for ever. */
export async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; (await isRunning(pid)) && waited < GONE_WITHIN_MS; waited += LOOK_EVERY_MS)
    await delay(LOOK_EVERY_MS);
}

/** A container's init may take seconds to bury what it has inherited: dead to its last thread, it holds nothing any more. */
export async function isRunning(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return signal(pid, 0);
  const status = await readOf(pid, 'status');
  return status !== undefined && !(/^State:\s+[ZX]/mu.test(status) && /^Threads:\s+1$/mu.test(status));
}

/** The processes of a group that run. Rejects where that cannot be told. */
export async function runningMembers(group: number): Promise<number[]> {
  const places = process.platform === 'linux' ? await linuxPlaces(await listPids()) : placesOf(await listPs());
  return runningOf(membersOf(group, places));
}

/** Those of some members of a group that run and are in it still: one may leave it. Off Linux that would need a `ps` at every look. */
export async function stillRunningMembers(group: number, some: readonly number[]): Promise<number[]> {
  return runningOf(process.platform === 'linux' ? membersOf(group, await linuxPlaces(some)) : some);
}

const membersOf = (group: number, places: ReadonlyMap<number, Place>): number[] =>
  [...places].filter(([, place]) => place.group === group).map(([pid]) => pid);

async function runningOf(pids: readonly number[]): Promise<number[]> {
  const running = await Promise.all(pids.map(async (pid) => ((await isRunning(pid)) ? [pid] : [])));
  return running.flat();
}

/** The processes with such a command line, but for those that end while they are looked at. */
export async function findProcesses(isMeant: (commandLine: readonly string[]) => boolean): Promise<ProcessRow[]> {
  return process.platform === 'linux' ? findInProc(isMeant) : findInPs(isMeant);
}

/** All ancestors of a process; `undefined`: they cannot be told, since one of them has ended meanwhile. */
export async function ancestorsOf(
  pid: number,
  parentOf: (pid: number) => Promise<number | undefined>,
): Promise<number[] | undefined> {
  const ancestors: number[] = [];
  // The first one is not looked at: where others' processes are hidden, it is too.
  for (let of = pid; of !== FIRST && ancestors.length < MOST_ANCESTORS;) {
    const parent = await parentOf(of);
    if (parent === undefined) return undefined;
    if (parent === NOBODY) return ancestors;
    ancestors.push(parent);
    of = parent;
  }
  return ancestors.at(-1) === FIRST ? ancestors : undefined;
}

/** Sends a signal, or with 0 only looks whether it could be. False: it is gone already, or belongs to somebody else. */
export function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, what);
  } catch {
    return false;
  }
}

/** Those of this process's own pid namespace: another one's parent ids mean nothing here. */
async function findInProc(isMeant: (commandLine: readonly string[]) => boolean): Promise<ProcessRow[]> {
  const own = await readlink('/proc/self/ns/pid');
  const find = async (pid: number): Promise<ProcessRow | undefined> => {
    const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    if (!isMeant(commandLine) || (await readlink(`/proc/${pid}/ns/pid`)) !== own) return undefined;
    const ancestors = await ancestorsInProc(pid);
    return ancestors === undefined ? undefined : { pid, ancestors, commandLine };
  };
  // It rejects if the process ends meanwhile or belongs to somebody else.
  const rows = await Promise.all((await listPids()).map(async (pid) => find(pid).catch(() => undefined)));
  return rows.filter((row) => row !== undefined);
}

/** A process whose parent ends gets another one at once: the next look finds that. */
async function ancestorsInProc(pid: number): Promise<number[] | undefined> {
  for (let look = 0; look < LOOKS_AT_ANCESTORS; look += 1) {
    const ancestors = await ancestorsOf(pid, async (of) => (await placeInProc(of))?.parent);
    if (ancestors !== undefined) return ancestors;
  }
  return undefined;
}

async function linuxPlaces(pids: readonly number[]): Promise<Map<number, Place>> {
  const places = await Promise.all(pids.map(async (pid) => [pid, await placeInProc(pid)] as const));
  return new Map(places.flatMap(([pid, place]) => (place === undefined ? [] : [[pid, place] as const])));
}

async function listPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
}

async function placeInProc(pid: number): Promise<Place | undefined> {
  const stat = await readOf(pid, 'stat');
  // The name before it is in brackets, and may have brackets of its own.
  const match = stat === undefined ? null : /^ \S (\d+) (\d+) /u.exec(stat.slice(stat.lastIndexOf(')') + 1));
  return match === null ? undefined : { parent: Number(match[1]), group: Number(match[2]) };
}

/** There is no such process, or it is somebody else's and hidden. */
const NOT_THERE = new Set<unknown>(['ENOENT', 'ESRCH', 'EPERM', 'EACCES']);

/** What /proc says of a process; `undefined`: there is none to be seen. */
async function readOf(pid: number, file: 'stat' | 'status'): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    // Where no more files can be opened, for one, it may well be there.
    if (error instanceof Error && 'code' in error && NOT_THERE.has(error.code)) return undefined;
    throw error;
  }
}

interface PsRow extends Place {
  readonly pid: number;
  readonly commandLine: readonly string[];
}

async function findInPs(isMeant: (commandLine: readonly string[]) => boolean): Promise<ProcessRow[]> {
  const rows = await listPs();
  const places = placesOf(rows);
  const found = rows.filter(({ commandLine }) => isMeant(commandLine));
  const all = found.map(async ({ pid, commandLine }) => {
    const ancestors = await ancestorsOf(pid, async (of) => Promise.resolve(places.get(of)?.parent));
    return ancestors === undefined ? [] : [{ pid, ancestors, commandLine }];
  });
  return (await Promise.all(all)).flat();
}

const placesOf = (rows: readonly PsRow[]): Map<number, Place> => new Map(rows.map((row) => [row.pid, row]));

async function listPs(): Promise<PsRow[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,ppid=,pgid=,args='], { maxBuffer: 2 ** 24 });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, group, ...commandLine] = line.trim().split(/\s+/u);
    return group === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group), commandLine }];
  });
}
