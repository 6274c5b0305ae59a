import { join, resolve } from 'node:path';
import { findExecutable } from '../../../../src/backend/local/llama-server/find-executable.ts';
import { clusterCache } from '../cluster-cache.ts';
import { buildOnce, missingIn, type GoPrograms, type Programs } from '../go-programs.ts';

/** The version of containerd on the nodes of the tests: that of test/cluster/go/containerd/go.mod. */
const CONTAINERD_VERSION = 'v2.4.2';

/** Linux distributions have versions that mount no images as volumes, so that none is taken from the machine. */
const containerdIn = (env: NodeJS.ProcessEnv): GoPrograms => ({
  title: `containerd ${CONTAINERD_VERSION}`,
  takes: 'about 2 minutes',
  module: resolve(import.meta.dirname, '../../go/containerd'),
  folder: join(clusterCache(env), `containerd-${CONTAINERD_VERSION}-${process.platform}-${process.arch}`),
  names: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
  // The tools that go.mod names.
  args: (folder) => ['-ldflags', '-s -w', '-o', folder, 'tool'],
});

/**
 * The folder with containerd, its shim and its client: from the cache, or built with Go into it.
 * Throws if the build fails.
 */
export async function obtainContainerd(env: NodeJS.ProcessEnv): Promise<Programs> {
  const containerd = containerdIn(env);
  const { folder, names, title } = containerd;
  if (missingIn(folder, names).length === 0) return { kind: 'found', folder };
  const go = findExecutable('go', env);
  if (go !== undefined) return { kind: 'found', folder: await buildOnce(containerd, go, env) };
  return { kind: 'absent', reason: `no ${title} and no Go to build it with; fix: install Go from https://go.dev/dl` };
}
