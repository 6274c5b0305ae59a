import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Duration } from '../../../domain/units.ts';
import { throwIfInterrupted } from './llama-server.ts';

export interface LockSettings {
  readonly signal: AbortSignal;
  /** How long to wait for the holder at most. */
  readonly wait: Duration;
  /** Between two tries. */
  readonly poll: Duration;
  /** Called once when the lock is held by somebody else. */
  readonly onWait: () => Promise<void>;
}

const SQLITE_BUSY = 5;

/**
 * Runs `work` while no other process works in the cache folder; creates the folder.
 *
 * The lock is SQLite's own (`BEGIN EXCLUSIVE` on an empty file): a lock of the operating system that ends with the
 * process that holds it, however that ends. A lock made of a file that exists would outlive a killed builder, and with
 * a process id inside it would be believed again when the id is taken by somebody else. Node offers no flock.
 *
 * Throws an Error when the folder cannot be written or the holder is not done in time,
 * `E_LLAMA_SERVER_INTERRUPTED` when the signal fires while it waits.
 */
export async function withCacheLock<T>(cache: string, settings: LockSettings, work: () => Promise<T>): Promise<T> {
  await mkdir(cache, { recursive: true });
  // Imported late: Node 22 prints a warning about it, which only those shall see who fetch or build.
  const sqlite = await import('node:sqlite');
  const lock = new sqlite.DatabaseSync(join(cache, 'lock.sqlite'), { timeout: 0 });
  try {
    await acquire(lock, cache, settings);
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(lock: DatabaseSync, cache: string, settings: LockSettings): Promise<void> {
  const tries = Math.ceil(settings.wait / settings.poll);
  for (let attempt = 0; attempt <= tries; attempt += 1) {
    throwIfInterrupted(settings.signal);
    if (tryLock(lock)) return;
    if (attempt === 0) await settings.onWait();
    await sleepUnlessInterrupted(settings.poll, settings.signal);
  }
  throw new Error(`${join(cache, 'lock.sqlite')} is still held by another process after ${settings.wait / 1000} s`);
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

/** Only an interruption can end the sleep early, and the next try reports it. */
async function sleepUnlessInterrupted(duration: Duration, signal: AbortSignal): Promise<void> {
  try {
    await sleep(duration, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
