import { ownerOf } from './command-line.ts';
import { findProcesses, signal, untilGone, type ProcessRow } from './process-table.ts';

/**
 * A llama-server of a Corral that is none of its ancestors has been left behind: by one that was killed with SIGKILL. It
 * still holds its memory and its GPU. Needs no record on disk: the command line says who started it. Its parent alone would
 * not do: between them may be a script.
 */
export const isOrphan = ({ ancestors, commandLine }: ProcessRow): boolean => {
  const owner = ownerOf(commandLine);
  return owner !== undefined && !ancestors.includes(owner);
};

/** Ends what a killed Corral has left behind, and resolves with the ended processes' ids when they are gone. */
export async function endOrphans(): Promise<number[]> {
  return endProcesses(await findOrphans());
}

/** Ends those of some processes that can be ended, and resolves with their ids when they are gone. */
export async function endProcesses(pids: readonly number[]): Promise<number[]> {
  const ended = pids.filter((pid) => signal(pid, 'SIGKILL'));
  await Promise.all(ended.map(untilGone));
  return ended;
}

/** The process ids of all orphans, and of the scripts that run them. */
export async function findOrphans(): Promise<number[]> {
  const rows = await findProcesses((commandLine) => ownerOf(commandLine) !== undefined);
  return rows.filter(isOrphan).map(({ pid }) => pid);
}
