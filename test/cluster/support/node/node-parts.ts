import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findExecutable } from '../../../../src/backend/local/llama-server/find-executable.ts';
import { clusterCache } from '../cluster-cache.ts';
import { obtainContainerd } from './containerd-programs.ts';
import { fetchNodeParts } from './fetch-node-parts.ts';

/** The programs that make a node besides the kubelet. */
export interface NodeParts {
  readonly containerd: string;
  readonly runc: string;
  /** containerd's own client, which loads images. */
  readonly ctr: string;
  readonly cniFolder: string;
  /** For containerd and kube-proxy: they look for more programs, `nft` among them, on PATH. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

export type FoundParts =
  { readonly kind: 'found'; readonly parts: NodeParts } | { readonly kind: 'absent'; readonly reason: string };

/** Debian's packages of what is not built. */
const NODE_PACKAGES = ['runc', 'containernetworking-plugins', 'nftables', 'iproute2'];

const PROGRAMS = ['runc', 'nft'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback'];
const INSTALL = `apt-get install --no-install-recommends ${NODE_PACKAGES.join(' ')}`;

/** Where programs are looked for. */
interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly cniFolders: readonly string[];
}

/** What a node has besides containerd. */
type Tools = Pick<NodeParts, 'runc' | 'cniFolder' | 'env'>;
type FoundTools =
  { readonly kind: 'found'; readonly tools: Tools } | { readonly kind: 'absent'; readonly reason: string };

/** A node's programs. Nothing of the machine is changed. Throws if containerd cannot be built. */
export async function obtainNodeParts(env: NodeJS.ProcessEnv): Promise<FoundParts> {
  const found = await obtainTools(env);
  if (found.kind === 'absent') return found;
  const built = await obtainContainerd(env);
  if (built.kind === 'absent') return built;
  const { tools } = found;
  // containerd looks for its shim on PATH: not another version's.
  const path = joinPath([built.folder, tools.env['PATH']]);
  return { kind: 'found', parts: { ...tools, ...containerdIn(built.folder), env: { ...tools.env, PATH: path } } };
}

const containerdIn = (folder: string): Pick<NodeParts, 'containerd' | 'ctr'> => ({
  containerd: join(folder, 'containerd'),
  ctr: join(folder, 'ctr'),
});

/** From PATH and the usual folders, else from Debian packages that are unpacked into the cache. */
async function obtainTools(env: NodeJS.ProcessEnv): Promise<FoundTools> {
  const [system, fetched] = [systemPlace(env), fetchedPlace(env)];
  const there = lookForTools(system) ?? lookForTools(fetched);
  if (there !== undefined) return { kind: 'found', tools: there };
  if (findExecutable('apt-get', env) === undefined || findExecutable('dpkg-deb', env) === undefined) {
    return { kind: 'absent', reason: `no ${missingTools(system).join(', ')}; fix: install them` };
  }
  try {
    await fetchNodeParts(partsFolder(env), NODE_PACKAGES, env);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'absent', reason: `the packages of a node cannot be fetched (${why}); fix: ${INSTALL}` };
  }
  const tools = lookForTools(fetched);
  if (tools !== undefined) return { kind: 'found', tools };
  return { kind: 'absent', reason: `no ${missingTools(fetched).join(', ')}; fix: ${INSTALL}` };
}

const partsFolder = (env: NodeJS.ProcessEnv): string => join(clusterCache(env), `node-parts-${process.arch}`);

const joinPath = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(delimiter);

/** Root's programs lie in folders that are not on everybody's PATH. */
const systemPlace = (env: NodeJS.ProcessEnv): Place => ({
  env: { ...env, PATH: joinPath([env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin']) },
  cniFolders: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
});

/** As if the packages were installed. */
function fetchedPlace(env: NodeJS.ProcessEnv): Place {
  const folder = partsFolder(env);
  const machine = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((part) => join(folder, part));
  const libraries = ['usr/lib', 'lib'].map((part) => join(folder, part, machine));
  const path = joinPath([...programs, systemPlace(env).env['PATH']]);
  return {
    env: { ...env, PATH: path, LD_LIBRARY_PATH: joinPath([...libraries, env['LD_LIBRARY_PATH']]) },
    cniFolders: [join(folder, 'usr/lib/cni')],
  };
}

/** `undefined`: something is missing. */
function lookForTools(place: Place): Tools | undefined {
  const runc = findExecutable('runc', place.env);
  const cniFolder = place.cniFolders.find(hasPlugins);
  if (missingTools(place).length > 0 || cniFolder === undefined || runc === undefined) return undefined;
  return { runc, cniFolder, env: place.env };
}

function missingTools({ env, cniFolders }: Place): readonly string[] {
  const programs = PROGRAMS.filter((name) => findExecutable(name, env) === undefined);
  return cniFolders.some(hasPlugins) ? programs : [...programs, `CNI plugins (${CNI_PLUGINS.join(', ')})`];
}

const hasPlugins = (folder: string): boolean => CNI_PLUGINS.every((name) => existsSync(join(folder, name)));
