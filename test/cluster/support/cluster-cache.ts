import { join } from 'node:path';
import { withCacheLock } from '../../../src/backend/local/llama-server/cache-lock.ts';
import { cacheHome } from '../../../src/backend/local/llama-server/server-cache.ts';
import { milliseconds, minutes } from '../../../src/domain/units.ts';

/** Where what the clusters of the tests need is kept: programs, packages and images. */
export const clusterCache = (env: NodeJS.ProcessEnv): string => join(cacheHome(env), 'corral', 'kubernetes');

/** Runs `work` while no other process works in the cache. Says on stderr when it has to wait. */
export async function inClusterCache<T>(env: NodeJS.ProcessEnv, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = clusterCache(env);
  const onWait = async (): Promise<void> => {
    process.stderr.write(`waiting for another process that works in ${folder}\n`);
    return Promise.resolve();
  };
  const settings = { signal: new AbortController().signal, wait: minutes(60), poll: milliseconds(500), onWait };
  return withCacheLock(folder, settings, async () => work(folder));
}
