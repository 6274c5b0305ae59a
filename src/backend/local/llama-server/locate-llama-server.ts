import { resolve } from 'node:path';
import { minutes, seconds } from '../../../domain/units.ts';
import { readArchiveSetting } from './archive-setting.ts';
import { buildFromSource } from './build-from-source.ts';
import { checkLlamaServer } from './check-llama-server.ts';
import { fetchArchive, findFetchedArchive } from './fetch-archive.ts';
import { findExecutable } from './find-executable.ts';
import { LlamaServerError, throwIfInterrupted } from './llama-server.ts';
import type { How, LlamaServer, LlamaServerProgress } from './llama-server.ts';
import { llamaSource } from './llama-source.ts';
import type { LlamaSource } from './llama-source.ts';
import { runCommand } from './run-command.ts';
import type { RunCommand } from './run-command.ts';
import { checkSettings } from './search.ts';
import type { Limits, Outcome, Search } from './search.ts';
import { builtServerPath, serverCacheFolder } from './server-cache.ts';

export interface LlamaServerRequest {
  /** The value of `--llama-server`, relative to the current folder. Absent: not given. */
  readonly explicit?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Whether llama-server may be built from source: minutes of work. */
  readonly build: boolean;
  readonly report: (progress: LlamaServerProgress) => void;
  /** Ends everything that was started for the request, and leaves nothing of it. */
  readonly signal: AbortSignal;
}

/** What tests put something smaller behind. */
export interface Parts {
  readonly source: LlamaSource;
  readonly limits: Limits;
  readonly run: RunCommand;
}

/** Compiling takes 6 minutes on 2 cores; a single slow core is what its limit is for. */
const limits: Limits = {
  version: seconds(10),
  download: minutes(30),
  unpack: minutes(10),
  configure: minutes(15),
  compile: minutes(180),
  wait: minutes(260),
  poll: seconds(1),
};

const standardParts: Parts = { source: llamaSource, limits, run: runCommand };

/**
 * Finds a llama-server that answers `--version`, first hit wins:
 *
 * | way         | where                                           | when it is there and wrong          |
 * |-------------|-------------------------------------------------|-------------------------------------|
 * | option      | `--llama-server`                                | error                               |
 * | environment | `LLAMA_SERVER`                                  | error                               |
 * | path        | `PATH`                                          | reported, next                      |
 * | cache       | what the two ways below have left earlier       | reported, made anew                 |
 * | archive     | `LLAMA_SERVER_URL` with `LLAMA_SERVER_SHA256`   | error                               |
 * | build       | llama.cpp's source, if `build` allows it        | error that names all six            |
 *
 * What the user has named is used or is an error: it never gives way to something else. Where an archive is configured,
 * only its own copy in the cache counts. Throws `LlamaServerError`.
 */
export async function locateLlamaServer(
  request: LlamaServerRequest,
  parts: Parts = standardParts,
): Promise<LlamaServer> {
  const search = searchFor(request, parts);
  const named = namedServer(request);
  if (named !== undefined) return useNamed(named, search);
  const ways: readonly Way[] = [
    { how: 'path', title: 'PATH', go: async () => searchPath(search) },
    { how: 'cache', title: 'cache', go: async () => searchCache(parts.source, search) },
    { how: 'archive', title: 'prebuilt archive', go: async () => fetchArchive(search) },
    { how: 'build', title: 'build from source', go: async () => mayBuild(request.build, parts.source, search) },
  ];
  return firstOf(ways, search);
}

function searchFor(request: LlamaServerRequest, parts: Parts): Search {
  const { env, report, signal } = request;
  return { env, report, signal, cache: serverCacheFolder(env), limits: parts.limits, run: parts.run };
}

interface Named {
  readonly how: 'option' | 'environment';
  readonly title: '--llama-server' | 'LLAMA_SERVER';
  readonly path: string;
}

/** An empty variable counts as not set, an empty option as a mistake. */
function namedServer({ explicit, env }: LlamaServerRequest): Named | undefined {
  if (explicit !== undefined) return { how: 'option', title: '--llama-server', path: explicit };
  const path = env['LLAMA_SERVER'];
  return path === undefined || path === '' ? undefined : { how: 'environment', title: 'LLAMA_SERVER', path };
}

async function useNamed({ how, title, path: given }: Named, search: Search): Promise<LlamaServer> {
  if (given === '') throw unusable(`${title} is empty: give the path of a llama-server`);
  const path = resolve(given);
  const verdict = await checkLlamaServer(path, checkSettings(search));
  if (verdict.kind === 'usable') return { path, version: verdict.version, how };
  const reason = verdict.kind === 'absent' ? 'does not exist' : verdict.reason;
  throw unusable(`${title}: ${path} ${reason}. Give the path of a working llama-server, or leave ${title} out to have one looked for`); // prettier-ignore
}

const unusable = (message: string): LlamaServerError => new LlamaServerError('E_LLAMA_SERVER_UNUSABLE', message);

interface Way {
  readonly how: How;
  readonly title: string;
  readonly go: () => Promise<Outcome>;
}

async function firstOf(ways: readonly Way[], search: Search): Promise<LlamaServer> {
  const tried = ['--llama-server: not given', 'LLAMA_SERVER: not set'];
  for (const way of ways) {
    throwIfInterrupted(search.signal);
    const outcome = await way.go();
    if (outcome.kind === 'found') return outcome.server;
    if (outcome.kind === 'unusable') search.report({ kind: 'unusable', how: way.how, reason: outcome.reason });
    tried.push(`${way.title}: ${outcome.reason}\n     fix: ${outcome.fix}`);
  }
  const list = tried.map((line, index) => `  ${index + 1}. ${line}`).join('\n');
  const message = `no llama-server can be used. What was tried, in this order:\n${list}\nAny one of them will do; the simplest is to give the path of a llama-server with --llama-server.`; // prettier-ignore
  throw new LlamaServerError('E_LLAMA_SERVER_NOT_FOUND', message);
}

async function searchPath(search: Search): Promise<Outcome> {
  const fix = 'install llama.cpp (https://github.com/ggml-org/llama.cpp), or add its folder to PATH';
  const path = findExecutable('llama-server', search.env);
  if (path === undefined) return { kind: 'absent', reason: 'it has no program named llama-server', fix };
  return judge(path, 'path', fix, search);
}

async function searchCache(source: LlamaSource, search: Search): Promise<Outcome> {
  const archive = readArchiveSetting(search.env);
  if (archive !== undefined) return findFetchedArchive(archive, search);
  const path = builtServerPath(search.cache, source.version);
  return judge(path, 'cache', 'it is filled by a build from source', search);
}

async function judge(path: string, how: How, fix: string, search: Search): Promise<Outcome> {
  const verdict = await checkLlamaServer(path, checkSettings(search));
  if (verdict.kind === 'usable') return { kind: 'found', server: { path, version: verdict.version, how } };
  if (verdict.kind === 'absent') return { kind: 'absent', reason: `${path} does not exist`, fix };
  return { kind: 'unusable', reason: `${path} ${verdict.reason}`, fix };
}

async function mayBuild(build: boolean, source: LlamaSource, search: Search): Promise<Outcome> {
  if (build) return buildFromSource(source, search);
  return { kind: 'absent', reason: 'was not asked for', fix: 'run `corral llama-server --build` (some minutes, once)' };
}
