import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The name of a folder in which a process works until its result is moved into place. */
const WORK_FOLDER = /^building-(\d+)-/;

/**
 * Where fetched and built llama-servers are kept: below `$XDG_CACHE_HOME`, or `~/.cache` where that is unset or, as the
 * XDG base directory specification has it, not absolute.
 */
export function serverCacheFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheHome(env), 'corral', 'llama-server');
}

/** The folder for caches: `$XDG_CACHE_HOME`, or `~/.cache`. */
export function cacheHome(env: NodeJS.ProcessEnv): string {
  const cache = env['XDG_CACHE_HOME'];
  if (cache !== undefined && isAbsolute(cache)) return cache;
  const home = env['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.cache');
}

/** Where a llama-server of this version for this machine is kept, in the cache folder. */
export function builtServerPath(cache: string, version: string): string {
  return join(cache, `${version}-${process.platform}-${process.arch}`, 'llama-server');
}

/** Where an archive with this checksum is kept unpacked, in the cache folder. */
export function archiveFolder(cache: string, sha256: string): string {
  return join(cache, `sha256-${sha256}`);
}

/**
 * Gives `work` an empty folder in the cache, on the same file system as the results, and removes it afterwards.
 * Only for the holder of the cache's lock: it also removes what builders left that were killed.
 */
export async function inWorkFolder<T>(cache: string, work: (folder: string) => Promise<T>): Promise<T> {
  for (const stale of await workFolders(cache)) await removeFolder(join(cache, stale));
  const folder = await mkdtemp(join(cache, `building-${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    await removeFolder(folder);
  }
}

/** Repeated for a moment: a process that was just killed may have had a file in the making. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

async function workFolders(cache: string): Promise<readonly string[]> {
  return (await readdir(cache)).filter((name) => WORK_FOLDER.test(name));
}

/** Who works in the cache, for the one who waits: a process id taken from the name of its folder. */
export async function describeWorker(cache: string): Promise<string> {
  for (const name of await workFolders(cache)) {
    const pid = WORK_FOLDER.exec(name)?.[1];
    if (pid !== undefined) return `process ${pid}, which works in ${join(cache, name)}`;
  }
  return `another process, which holds ${cache}`;
}
