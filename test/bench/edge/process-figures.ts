import { readFileSync } from 'node:fs';

/** The kernel's unit of CPU time towards programs (USER_HZ), the same on every architecture that Corral runs on. */
const TICKS_PER_SECOND = 100;
/** Where user and system time stand in /proc/PID/stat after the name, see proc_pid_stat(5). */
const UTIME = 11;
const STIME = 12;

/** A process and all its descendants that are there now. */
export function processTree(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => processTree(Number(child))))];
}

/** CPU seconds that processes have used so far, user and system, all threads. Throws if one is gone. */
export const cpuSecondsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS_PER_SECOND;

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[UTIME]) + Number(fields[STIME]);
}

/** Resident memory of processes, in MB of 1000 kB. */
export const residentMbOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + residentKib(pid), 0) * 1.024e-3;

function residentKib(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`process ${pid} has no resident memory`);
  return Number(found[1]);
}
