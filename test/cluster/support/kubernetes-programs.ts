import { symlink } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { findExecutable } from '../../../src/backend/local/llama-server/find-executable.ts';
import { clusterCache } from './cluster-cache.ts';
import { buildOnce, missingIn, type GoPrograms, type Programs } from './go-programs.ts';
import { KUBERNETES_PROGRAMS, KUBERNETES_VERSION } from './kubernetes-version.ts';

/**
 * The programs of Kubernetes: from `KUBEBUILDER_ASSETS`, from a folder of `PATH` that holds them all, from the cache, or
 * built with Go into the cache, which takes about 8 minutes on 2 cores.
 * Throws if `KUBEBUILDER_ASSETS` is set and does not hold them, or if the build fails.
 */
export async function obtainPrograms(env: NodeJS.ProcessEnv): Promise<Programs> {
  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') return fromAssets(assets);
  const kubernetes = kubernetesIn(env);
  const there = [...foldersOf(env), kubernetes.folder].find((folder) => isWhole(folder));
  if (there !== undefined) return { kind: 'found', folder: there };
  const go = findExecutable('go', env);
  if (go !== undefined) return { kind: 'found', folder: await buildOnce(kubernetes, go, env) };
  const reason = `no Kubernetes ${KUBERNETES_VERSION} and no Go to build it with; fix: install Go from https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder with ${KUBERNETES_PROGRAMS.join(', ')}`;
  return { kind: 'absent', reason };
}

/** All of them are one file, which is linked once, and becomes the program by whose name it is started. */
const kubernetesIn = (env: NodeJS.ProcessEnv): GoPrograms => ({
  title: `Kubernetes ${KUBERNETES_VERSION}`,
  takes: 'about 8 minutes',
  module: resolve(import.meta.dirname, '../go'),
  folder: join(clusterCache(env), `${KUBERNETES_VERSION}-${process.platform}-${process.arch}`),
  names: KUBERNETES_PROGRAMS,
  args: (folder) => ['-ldflags', linkerFlags(), '-o', join(folder, 'kubernetes'), '.'],
  finish: async (folder) => {
    for (const name of KUBERNETES_PROGRAMS) await symlink('kubernetes', join(folder, name));
  },
});

const foldersOf = (env: NodeJS.ProcessEnv): readonly string[] =>
  env['PATH'] === undefined ? [] : env['PATH'].split(delimiter).filter((folder) => folder !== '');

const isWhole = (folder: string): boolean => missingIn(folder, KUBERNETES_PROGRAMS).length === 0;

function fromAssets(folder: string): Programs {
  const missing = missingIn(folder, KUBERNETES_PROGRAMS);
  if (missing.length === 0) return { kind: 'found', folder };
  throw new Error(
    `KUBEBUILDER_ASSETS=${folder}: ${missing.join(', ')} not there; fix: put them there, or unset it to have them built`,
  );
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
