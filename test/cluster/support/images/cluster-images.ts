import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { corralImage, corralImageName } from '../../../../scripts/corral-image.ts';
import { writeOciImage } from '../../../../scripts/oci-image.ts';
import type { ImageContent } from '../../../../scripts/oci-image.ts';
import { inClusterCache } from '../cluster-cache.ts';
import { llamaServerImage } from './llama-server-image.ts';

export type ImageName = 'llama-server' | 'corral';

/** The names of our images on the nodes; Corral's is that of deploy/. No pod asks a registry for them (`IfNotPresent`). */
export const IMAGES: Readonly<Record<ImageName, string>> = {
  'llama-server': 'corral.test/llama-server:v1',
  corral: corralImageName(),
};

/** Long enough for whoever has just been given an archive's path, in milliseconds. */
const KEEP_MS = 10 * 60_000;

/** The path of an archive of the image, made where the cache has not got it. */
export async function archiveOf(name: ImageName, env: NodeJS.ProcessEnv): Promise<string> {
  const content = name === 'corral' ? corralImage() : llamaServerImage(env);
  return obtainArchive(name, IMAGES[name], content, env);
}

/** The archive of the image that pods' sandboxes are made of. */
export async function obtainPauseArchive(pause: string, reference: string, env: NodeJS.ProcessEnv): Promise<string> {
  const files = new Map([['/pause', { from: pause, mode: 0o755 }]]);
  return obtainArchive('pause', reference, { files, config: { Entrypoint: ['/pause'] } }, env);
}

async function obtainArchive(
  name: string,
  reference: string,
  content: ImageContent,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return inClusterCache(env, async (cache) => {
    const folder = join(cache, 'images');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}-${versionOf(content)}.tar`);
    if (!existsSync(path)) {
      removeOld(folder, name);
      writeOciImage(path, reference, content);
    }
    return path;
  });
}

/** Of the same files, as their sizes and times tell: reading 200 MB would take longer than using the archive. */
function versionOf({ files, folders, config }: ImageContent): string {
  const facts = [...files].map(([path, file]) => {
    if (!('from' in file)) return [path, file];
    const { size, mtimeMs } = statSync(file.from);
    return [path, file, size, mtimeMs];
  });
  const all = JSON.stringify([facts, folders === undefined ? [] : [...folders], config]);
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}

/** Each change of the sources makes another archive. */
function removeOld(folder: string, name: string): void {
  for (const file of readdirSync(folder).filter((entry) => entry.startsWith(`${name}-`))) {
    if (Date.now() - statSync(join(folder, file)).mtimeMs > KEEP_MS) rmSync(join(folder, file));
  }
}
