import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Who runs where: the contestant alone on its core, all that it works for and with on the other. */
export interface Cores {
  readonly contestant: number;
  readonly others: number;
}

/**
 * Puts this process, and so the load generators and stubs that it starts, on core 1, and leaves core 0 to contestants.
 * `undefined`: nothing is pinned, because only Linux can, and it takes two cores.
 */
export function takeOtherCore(): Cores | undefined {
  if (process.platform !== 'linux' || availableParallelism() < 2) return undefined;
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', String(process.pid)]);
  return { contestant: 0, others: 1 };
}

/** A command as it is run on one core; unchanged where nothing is pinned. */
export const pinned = (core: number | undefined, command: readonly string[]): readonly string[] =>
  core === undefined ? command : ['taskset', '--cpu-list', String(core), ...command];
