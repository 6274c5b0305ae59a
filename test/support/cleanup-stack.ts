import type { Cleanup } from './temp-folder.ts';

/** Runs `work` outside of a test runner, and afterwards, however it ends, its hooks, the last one first. */
export async function withCleanup<T>(work: (t: Cleanup) => Promise<T>): Promise<T> {
  const hooks: (() => Promise<void>)[] = [];
  try {
    return await work({ after: (hook) => hooks.push(hook) });
  } finally {
    for (const hook of hooks.toReversed()) await hook();
  }
}
