import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { renderTinyGguf } from '../../src/api/tiny-gguf.ts';

/**
 * `quick`: loads in about 40 ms and answers at once. `slow`: a few hundred tokens a second, so that a stream lasts as
 * long as the test needs it to.
 */
export type Speed = 'quick' | 'slow';

const SHAPES = { quick: {}, slow: { dimension: 512, layers: 8 } };

/** One file for each speed and test process: a slow model has 85 MB. */
const originals = new Map<Speed, Promise<string>>();

after(async () => {
  for (const made of originals.values()) await rm(join(await made, '..'), { recursive: true, force: true });
});

async function makeOriginal(speed: Speed): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'corral-models-')), `${speed}.gguf`);
  await writeFile(path, renderTinyGguf({ seed: 1, ...SHAPES[speed] }));
  return path;
}

async function originalOf(speed: Speed): Promise<string> {
  const made = originals.get(speed);
  if (made !== undefined) return made;
  const making = makeOriginal(speed);
  originals.set(speed, making);
  return making;
}

/** Puts tiny models with random weights into a folder, as `NAME.gguf`, and returns their paths. */
export async function tinyModels(folder: string, names: readonly string[], speed: Speed = 'quick'): Promise<string[]> {
  const original = await originalOf(speed);
  const paths = names.map((name) => join(folder, `${name}.gguf`));
  for (const path of paths) await link(original, path);
  return paths;
}
