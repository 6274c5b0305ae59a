import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where hooks are registered: a test's context, or a suite's. */
export interface Cleanup {
  after(hook: () => Promise<void>): void;
}

/** A folder that the caller removes. */
export async function makeTempFolder(): Promise<string> {
  // The real path: macOS keeps its temporary folder behind a link.
  return realpath(await mkdtemp(join(tmpdir(), 'corral-llama-')));
}

/** A folder of its own, removed after the test. */
export async function tempFolder(t: Cleanup): Promise<string> {
  const folder = await makeTempFolder();
  t.after(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
