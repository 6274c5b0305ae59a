import { rmSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderTinyAdapter } from '../../support/tiny-adapter.ts';
import { tinyModels } from '../../support/tiny-models.ts';

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
  await tinyModels(folder, ['slow'], 'slow', 1);
  await writeFile(join(folder, 'adapter.gguf'), renderTinyAdapter());
  await writeFile(join(folder, 'broken.gguf'), 'this is no model\n');
  return folder;
}
