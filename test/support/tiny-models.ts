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

/** A slow model, as bytes. */
export const slowModel = (seed = 1): Buffer => renderTinyGguf({ seed, ...SHAPES.slow });

/** One file for each speed, seed and test process: a slow model has 85 MB. */
const originals = new Map<string, Promise<string>>();

after(async () => {
  for (const made of originals.values()) await rm(join(await made, '..'), { recursive: true, force: true });
});

async function makeOriginal(speed: Speed, seed: number): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'corral-models-')), `${speed}.gguf`);
  await writeFile(path, renderTinyGguf({ seed, ...SHAPES[speed] }));
  return path;
}

async function originalOf(speed: Speed, seed: number): Promise<string> {
  const key = `${speed} ${seed}`;
  const made = originals.get(key);
  if (made !== undefined) return made;
  const making = makeOriginal(speed, seed);
  originals.set(key, making);
  return making;
}

/**
 * Puts tiny models with random weights into a folder, as `NAME.gguf`, and returns their paths. Models of another `seed`
 * answer something else.
 */
export async function tinyModels(
  folder: string,
  names: readonly string[],
  speed: Speed = 'quick',
  seed = 1,
): Promise<string[]> {
  const original = await originalOf(speed, seed);
  const paths = names.map((name) => join(folder, `${name}.gguf`));
  for (const path of paths) await link(original, path);
  return paths;
}
