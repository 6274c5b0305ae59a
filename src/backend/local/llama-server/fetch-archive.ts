import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchiveSetting, showUrl } from './archive-setting.ts';
import type { ArchiveSetting } from './archive-setting.ts';
import { withCacheLock } from './cache-lock.ts';
import { checkLlamaServer } from './check-llama-server.ts';
import { describeError } from './describe-error.ts';
import { LlamaServerError } from './llama-server.ts';
import type { LlamaServer } from './llama-server.ts';
import { checkSettings, lockSettings } from './search.ts';
import type { Outcome, Search } from './search.ts';
import { archiveFolder, inWorkFolder } from './server-cache.ts';
import { findUnpackedServer, unpackArchive } from './unpack-archive.ts';

const FIX = 'set LLAMA_SERVER_URL (a .tar.gz or the bare program) and LLAMA_SERVER_SHA256';

/** The unpacked copy of the configured archive, if an earlier run has left a working one in the cache. */
export async function findFetchedArchive(archive: ArchiveSetting, search: Search): Promise<Outcome> {
  const folder = archiveFolder(search.cache, archive.sha256);
  const path = (await isFolder(folder)) ? await findUnpackedServer(folder) : undefined;
  if (path === undefined) return { kind: 'absent', reason: `no llama-server in ${folder}`, fix: 'it will be fetched' };
  const verdict = await checkLlamaServer(path, checkSettings(search));
  if (verdict.kind === 'usable') return { kind: 'found', server: { path, version: verdict.version, how: 'cache' } };
  const reason = verdict.kind === 'absent' ? 'has gone' : verdict.reason;
  return { kind: 'unusable', reason: `${path} ${reason}`, fix: `remove ${folder}` };
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

/**
 * Fetches the archive that the user configured, if any. Throws `E_LLAMA_SERVER_ARCHIVE` when it cannot be used: someone
 * who pins a checksum wants that program, and not another one after minutes of building.
 */
export async function fetchArchive(search: Search): Promise<Outcome> {
  const archive = readArchiveSetting(search.env);
  if (archive === undefined) {
    return { kind: 'absent', reason: 'LLAMA_SERVER_URL and LLAMA_SERVER_SHA256 are not set', fix: FIX };
  }
  try {
    const lock = lockSettings(search, 'to fetch the archive');
    return { kind: 'found', server: await withCacheLock(search.cache, lock, async () => fetchOnce(archive, search)) };
  } catch (error) {
    if (error instanceof LlamaServerError) throw error;
    const message = `the archive of LLAMA_SERVER_URL (${showUrl(archive.url)}) cannot be used: ${describeError(error)}`;
    throw new LlamaServerError('E_LLAMA_SERVER_ARCHIVE', message, { cause: error });
  }
}

/** Another process may have fetched it while this one waited for the lock. */
async function fetchOnce(archive: ArchiveSetting, search: Search): Promise<LlamaServer> {
  const there = await findFetchedArchive(archive, search);
  if (there.kind === 'found') return there.server;
  return inWorkFolder(search.cache, async (folder) => fetchInto(folder, archive, search));
}

async function fetchInto(folder: string, archive: ArchiveSetting, search: Search): Promise<LlamaServer> {
  const file = join(folder, 'download');
  search.report({ kind: 'step', text: `downloading ${showUrl(archive.url)}` });
  // Imported by those who download only: the client that it uses takes 13 MB.
  const { downloadFile } = await import('./download-file.ts');
  const sum = await downloadFile(archive.url, file, search);
  if (sum !== archive.sha256) {
    throw new Error(
      `its SHA-256 is ${sum}, but LLAMA_SERVER_SHA256 says ${archive.sha256}. Nothing was unpacked or kept`,
    );
  }
  const unpacked = join(folder, 'unpacked');
  search.report({ kind: 'step', text: 'unpacking the archive' });
  await unpackArchive(file, unpacked, search);
  await expectServer(unpacked, search);
  await moveIntoPlace(unpacked, archiveFolder(search.cache, archive.sha256), folder);
  const kept = await findFetchedArchive(archive, search);
  if (kept.kind !== 'found') throw new Error(kept.reason);
  return { ...kept.server, how: 'archive' };
}

async function expectServer(folder: string, search: Search): Promise<void> {
  const path = await findUnpackedServer(folder);
  if (path === undefined) throw new Error('it holds no file named llama-server');
  const verdict = await checkLlamaServer(path, checkSettings(search));
  if (verdict.kind === 'unusable') throw new Error(`its llama-server ${verdict.reason}`);
}

/** A copy that is there and does not work is put aside, into the folder that is removed in the end. */
async function moveIntoPlace(from: string, to: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'aside'));
  if (await isFolder(to)) await rename(to, join(folder, 'aside', 'broken'));
  await rename(from, to);
}
