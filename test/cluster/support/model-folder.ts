import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { chmod, copyFile, link, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderTinyAdapter } from '../../support/tiny-adapter.ts';
import { slowModel, tinyModels } from '../../support/tiny-models.ts';
import { inClusterCache } from './cluster-cache.ts';

/** A part of a pod template: pods see a folder of this machine as `/models`. */
export const seenAsModels = (folder: string): Readonly<Record<string, unknown>> => ({
  volumes: [{ name: 'models', hostPath: { path: folder } }],
  volumeMounts: [{ name: 'models', mountPath: '/models', readOnly: true }],
});

let made: Promise<string> | undefined;

/**
 * A folder of this machine with models for pods, one for all tests of a process: `a.gguf` and `b.gguf` answer at once and
 * differently, a stream of `slow.gguf` takes seconds, `adapter.gguf` is a
 * LoRA adapter for the first two, and `broken.gguf` is no model.
 */
export async function modelFolder(): Promise<string> {
  made ??= makeFolder();
  return made;
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-pod-models-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Pods run as nobody.
  await chmod(folder, 0o755);
  await tinyModels(folder, ['a'], 'quick', 1);
  await tinyModels(folder, ['b'], 'quick', 2);
  await inClusterCache(process.env, async (cache) => placeSlow(cache, join(folder, 'slow.gguf')));
  await writeFile(join(folder, 'adapter.gguf'), renderTinyAdapter());
  await writeFile(join(folder, 'broken.gguf'), 'this is no model\n');
  return folder;
}

/** What the slow model is made by. */
const MAKERS = ['tiny-gguf.ts', 'gguf-encoding.ts'].map((name) => join(import.meta.dirname, '../../../src/api', name));

/** It has 85 MB, which take a second of a processor to make: it is made once for all files of tests. */
async function placeSlow(cache: string, path: string): Promise<void> {
  const hash = createHash('sha256');
  for (const file of MAKERS) hash.update(await readFile(file));
  const made = join(cache, `slow-${hash.digest('hex').slice(0, 16)}.gguf`);
  if (!existsSync(made)) {
    await writeFile(`${made}.draft`, slowModel());
    await rename(`${made}.draft`, made);
  }
  // A link needs no room; it cannot be where the cache is on another disk.
  await link(made, path).catch(async () => copyFile(made, path));
}
