import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { findExecutable } from '../../../src/backend/local/llama-server/find-executable.ts';
import { clusterCache, inClusterCache } from './cluster-cache.ts';
import { KUBERNETES_PROGRAMS, KUBERNETES_VERSION } from './kubernetes-version.ts';
import { run } from './run.ts';

const goModule = resolve(import.meta.dirname, '../go');

/** Where the programs of Kubernetes lie, or why there are none and what to do. */
export type Programs =
  { readonly kind: 'found'; readonly folder: string } | { readonly kind: 'absent'; readonly reason: string };

/**
 * The programs of Kubernetes: from `KUBEBUILDER_ASSETS`, from a folder of `PATH` that holds them all, from the cache, or
 * built with Go into the cache, which takes about 8 minutes on 2 cores.
 * Throws if `KUBEBUILDER_ASSETS` is set and does not hold them, or if the build fails.
 */
export async function obtainPrograms(env: NodeJS.ProcessEnv): Promise<Programs> {
  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') return fromAssets(assets);
  const cached = cachedPrograms(env);
  const there = [...foldersOf(env), cached].find((folder) => missingIn(folder).length === 0);
  if (there !== undefined) return { kind: 'found', folder: there };
  const go = findExecutable('go', env);
  if (go !== undefined) return { kind: 'found', folder: await buildOnce(go, env) };
  const reason = `no Kubernetes ${KUBERNETES_VERSION} and no Go to build it with; fix: install Go from https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder with ${KUBERNETES_PROGRAMS.join(', ')}`;
  return { kind: 'absent', reason };
}

const cachedPrograms = (env: NodeJS.ProcessEnv): string =>
  join(clusterCache(env), `${KUBERNETES_VERSION}-${process.platform}-${process.arch}`);

const foldersOf = (env: NodeJS.ProcessEnv): readonly string[] =>
  env['PATH'] === undefined ? [] : env['PATH'].split(delimiter).filter((folder) => folder !== '');

const missingIn = (folder: string): readonly string[] =>
  KUBERNETES_PROGRAMS.filter((name) => !existsSync(join(folder, name)));

function fromAssets(folder: string): Programs {
  const missing = missingIn(folder);
  if (missing.length === 0) return { kind: 'found', folder };
  throw new Error(
    `KUBEBUILDER_ASSETS=${folder}: ${missing.join(', ')} not there; fix: put them there, or unset it to have them built`,
  );
}

/** Another process may have built them while this one waited. */
async function buildOnce(go: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = cachedPrograms(env);
  return inClusterCache(env, async () => {
    if (missingIn(folder).length > 0) await build(go, folder, env);
    return folder;
  });
}

/** The folder appears when all of it is there. */
async function build(go: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  process.stderr.write(`building Kubernetes ${KUBERNETES_VERSION} with ${go}: about 8 minutes, once\n`);
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const argv = [go, 'build', '-trimpath', '-v', '-ldflags', linkerFlags(), '-o', join(draft, 'kubernetes'), '.'];
  await run([go, ...argv.slice(1)], { cwd: goModule, env: { ...env, CGO_ENABLED: '0' }, stderr: 'show' });
  for (const name of KUBERNETES_PROGRAMS) await symlink('kubernetes', join(draft, name));
  await mkdir(dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
}

/** Without these the programs call themselves v0.0.0, which clients refuse. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.');
  const facts = { gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const settings = packages.flatMap((name) =>
    Object.entries(facts).map(([key, value]) => `-X ${name}.${key}=${value}`),
  );
  return ['-s', '-w', ...settings].join(' ');
}
