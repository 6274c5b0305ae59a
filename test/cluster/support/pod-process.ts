import { readdirSync, readFileSync } from 'node:fs';
import type { ApiObject } from './api-client.ts';

/**
 * The process id, as this machine has it, of the program of a pod of Corral: the one that was started with the pod's name in
 * POD_NAME. Throws if there is none or more than one.
 */
export function processOf({ metadata }: ApiObject): number {
  const isIt = (pid: string): boolean => readNull(`/proc/${pid}/environ`).includes(`POD_NAME=${metadata.name}`);
  const [pid, ...others] = readdirSync('/proc').filter((name) => /^\d+$/u.test(name) && isIt(name));
  if (pid === undefined) throw new Error(`${metadata.name} has no process`);
  if (others.length > 0) throw new Error(`${metadata.name} has several processes: ${[pid, ...others].join(', ')}`);
  return Number(pid);
}

/** Lets a process go on that was stopped. */
export function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has gone on and ended.
  }
}

/** Of a process that has ended meanwhile there is nothing to read. */
function readNull(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    return [];
  }
}
