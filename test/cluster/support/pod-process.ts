import { readdirSync, readFileSync } from 'node:fs';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiObject } from './api-client.ts';
import { fieldAt } from './field-at.ts';

/**
 * The process id, as this machine has it, of the program of a pod of Corral: the one that was started with the pod's name in
 * POD_NAME. Throws if there is none or more than one.
 */
export function processOf({ metadata }: ApiObject): number {
  return theOne(metadata.name, (pid) => readNull(`/proc/${pid}/environ`).includes(`POD_NAME=${metadata.name}`));
}

/**
 * Stops the llama-server in the pod of a model, and returns what lets it go on, which happens after the test at the latest. What it
 * answers is in flight until then, however slow the machine is. Its slots cannot be looked at.
 */
export function standStill(t: Cleanup, pod: ApiObject): () => void {
  const prefix = prefixOf(pod);
  const pid = theOne(pod.metadata.name, (one) => readNull(`/proc/${one}/cmdline`).includes(prefix));
  process.kill(pid, 'SIGSTOP');
  const resume = (): void => {
    goOn(pid);
  };
  t.after(async () => {
    resume();
    return Promise.resolve();
  });
  return resume;
}

/** Of a model's pod: no other one has the same. Throws if it is no pod of a model. */
function prefixOf(pod: ApiObject): string {
  const args = fieldAt(pod, 'spec', 'containers', '0', 'args');
  const prefix: unknown = Array.isArray(args) ? args[args.indexOf('--api-prefix') + 1] : undefined;
  if (typeof prefix !== 'string') throw new Error(`${pod.metadata.name} is no pod of a model`);
  return prefix;
}

/** The process of which this is so. */
function theOne(name: string, isIt: (pid: string) => boolean): number {
  const [pid, ...others] = readdirSync('/proc').filter((one) => /^\d+$/u.test(one) && isIt(one));
  if (pid === undefined) throw new Error(`${name} has no process`);
  if (others.length > 0) throw new Error(`${name} has several processes: ${[pid, ...others].join(', ')}`);
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
