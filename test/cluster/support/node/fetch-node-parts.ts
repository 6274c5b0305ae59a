import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inClusterCache } from '../cluster-cache.ts';
import { run } from '../run.ts';

/**
 * Downloads Debian packages, with those that they need and this machine has not, and unpacks them into `folder`. apt's
 * state and cache are folders of our own: nothing is installed, and the machine's own lists stay as they are.
 * Throws if apt cannot: no network, or no such packages.
 */
export async function fetchNodeParts(
  folder: string,
  packages: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  process.stderr.write(`fetching ${packages.join(', ')} with apt-get into ${folder}\n`);
  await inClusterCache(env, async (cache) => {
    const draft = join(cache, 'node-parts.draft');
    await rm(draft, { recursive: true, force: true });
    const archives = await download(draft, packages, env);
    for (const archive of archives) await run(['dpkg-deb', '-x', archive, join(draft, 'root')], { env });
    await rm(folder, { recursive: true, force: true });
    await rename(join(draft, 'root'), folder);
    await rm(draft, { recursive: true, force: true });
  });
}

async function download(
  draft: string,
  packages: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const archives = join(draft, 'cache/archives');
  await mkdir(join(draft, 'lists/partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(draft, 'root'));
  const own = {
    'Dir::State::lists': join(draft, 'lists'),
    'Dir::Cache': join(draft, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const settings = Object.entries({ ...own, 'Debug::NoLocking': '1' }).flatMap(([key, value]) => [
    '-o',
    `${key}=${value}`,
  ]);
  const apt = async (...args: readonly string[]): Promise<string> =>
    run(['apt-get', '--quiet', ...settings, ...args], { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } });
  await apt('update');
  await apt('install', '--yes', '--download-only', '--no-install-recommends', ...packages);
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).map((name) => join(archives, name));
}
