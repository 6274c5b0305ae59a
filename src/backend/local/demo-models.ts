import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTinyGguf } from '../../api/tiny-gguf.ts';
import { cacheHome } from './llama-server/server-cache.ts';

const DEMO_MODELS = [
  { name: 'demo-a', seed: 1 },
  { name: 'demo-b', seed: 2 },
];

/** Makes two tiny models that answer nonsense, in the user's cache, and returns their folder. */
export async function makeDemoModels(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = join(cacheHome(env), 'corral', 'demo-models');
  await mkdir(folder, { recursive: true });
  for (const { name, seed } of DEMO_MODELS) await replaceFile(join(folder, `${name}.gguf`), renderTinyGguf({ seed }));
  return folder;
}

/** In one step, so that another Corral never loads half of it. */
async function replaceFile(path: string, content: Buffer): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, content);
  await rename(draft, path);
}
