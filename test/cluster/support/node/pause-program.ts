import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { inClusterCache } from '../cluster-cache.ts';
import { run } from '../run.ts';

const source = join(import.meta.dirname, 'pause.c');

/** The program `pause`, without libraries, compiled where the cache has not got it. */
export async function obtainPause(env: NodeJS.ProcessEnv): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16);
  return inClusterCache(env, async (cache) => {
    const path = join(cache, `pause-${process.arch}-${version}`);
    if (existsSync(path)) return path;
    await run(['gcc', '-Os', '-static', '-o', `${path}.draft`, source], { env });
    await rename(`${path}.draft`, path);
    return path;
  });
}
