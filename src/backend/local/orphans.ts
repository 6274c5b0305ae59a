import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ownerOf } from './command-line.ts';

/** A running process, as far as it can be told from outside. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: readonly string[];
}

const GONE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 10;

/**
 * A child of a Corral whose parent is not that Corral has been left behind: by one that was killed with SIGKILL. It
 * still holds its memory and its GPU. Needs no record on disk: the command line says who started it.
 */
export const isOrphan = ({ parent, commandLine }: ProcessRow): boolean => {
  const owner = ownerOf(commandLine);
  return owner !== undefined && owner !== parent;
};

/** Ends what a killed Corral has left behind, and resolves with the ended processes' ids when they are gone. */
export async function endOrphans(): Promise<number[]> {
  const orphans = (await listProcesses()).filter(isOrphan).map((row) => row.pid);
  const ended = orphans.filter((pid) => kill(pid, 'SIGKILL'));
  await Promise.all(ended.map(untilGone));
  return ended;
}

/** False: it is gone already, or belongs to somebody else. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; (await isRunning(pid)) && waited < GONE_WITHIN_MS; waited += LOOK_EVERY_MS)
    await delay(LOOK_EVERY_MS);
}

/** A container's init may take seconds to bury what it has inherited: dead to its last thread, it holds nothing any more. */
async function isRunning(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return kill(pid, 0);
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  return status !== undefined && !(/^State:\s+[ZX]/mu.test(status) && /^Threads:\s+1$/mu.test(status));
}

async function listProcesses(): Promise<ProcessRow[]> {
  return process.platform === 'linux' ? listLinuxProcesses() : listPsProcesses();
}

/** Those of this process's own pid namespace: another one's parent ids mean nothing here. */
async function listLinuxProcesses(): Promise<ProcessRow[]> {
  const own = await readlink('/proc/self/ns/pid');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const rows = await Promise.all(pids.map(async (pid) => readLinuxProcess(pid, own).catch(() => undefined)));
  return rows.filter((row) => row !== undefined);
}

/** Rejects if it ends meanwhile or belongs to somebody else. */
async function readLinuxProcess(pid: string, namespace: string): Promise<ProcessRow | undefined> {
  const commandLine = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  if (ownerOf(commandLine) === undefined || (await readlink(`/proc/${pid}/ns/pid`)) !== namespace) return undefined;
  const parent = /^PPid:\s+(\d+)$/mu.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return parent === null ? undefined : { pid: Number(pid), parent: Number(parent[1]), commandLine };
}

async function listPsProcesses(): Promise<ProcessRow[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,ppid=,args='], { maxBuffer: 2 ** 24 });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, ...commandLine] = line.trim().split(/\s+/u);
    return parent === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), commandLine }];
  });
}
