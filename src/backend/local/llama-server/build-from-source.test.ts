import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { minutes, seconds } from '../../../domain/units.ts';
import { findExecutable } from './find-executable.ts';
import type { LlamaServer, LlamaServerProgress } from './llama-server.ts';
import type { LlamaSource } from './llama-source.ts';
import { locateLlamaServer } from './locate-llama-server.ts';
import type { Parts } from './locate-llama-server.ts';
import { runCommand } from './run-command.ts';
import { builtServerPath } from './server-cache.ts';

const limits = {
  version: seconds(10),
  download: minutes(1),
  unpack: minutes(1),
  configure: minutes(1),
  compile: minutes(1),
  wait: minutes(1),
  poll: seconds(0.02),
};

/** Writes what it was called with, and where it should wait: opens the pipe for writing, so that its reader sees when it starts and when it ends. */
const CMAKE = `#!/bin/sh
echo "$*" >> "$SCRATCH/cmake.log"
case "$1" in
  -B) exit 0 ;;
esac
echo "[ 10%] Building CXX object"
if [ -p "$SCRATCH/alive" ]; then exec 9> "$SCRATCH/alive"; echo started >&9; fi
if [ -p "$SCRATCH/go" ]; then read -r _ < "$SCRATCH/go"; fi
if [ -f "$SCRATCH/compiler-error" ]; then echo "x.cpp:1: error: no such luck" >&2; exit 2; fi
mkdir -p build/bin
cp "$SCRATCH/product" build/bin/llama-server
chmod +x build/bin/llama-server
echo "[100%] Built target llama-server"
`;
const NPM = `#!/bin/sh
echo "$*" >> "$SCRATCH/npm.log"
if [ -f "$SCRATCH/npm-error" ]; then echo "npm error code E401" >&2; exit 1; fi
cp "$SCRATCH/source.tgz" node-llama-cpp-0.0.0.tgz
`;
/** The last argument is the folder to clone into. */
const GIT = `#!/bin/sh
echo "$*" >> "$SCRATCH/git.log"
for last in "$@"; do :; done
mkdir "$last"
`;
const WORKING = `#!/bin/sh\necho 'version: 9.9 (built)' >&2\n`;
const REAL_TOOLS = ['sh', 'tar', 'gzip', 'mkdir', 'cp', 'chmod', 'sleep'];

function script(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** A machine with the tools of a build, all of them ours. */
function machine(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'corral-build-'));
  t.after(() => {
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });
  const bin = join(root, 'bin');
  mkdirSync(bin);
  for (const tool of REAL_TOOLS) symlinkSync(findExecutable(tool, process.env) ?? assert.fail(tool), join(bin, tool));
  for (const name of ['cc', 'c++', 'make']) script(join(bin, name), '#!/bin/sh\n');
  script(join(bin, 'cmake'), CMAKE);
  script(join(bin, 'npm'), NPM);
  script(join(bin, 'git'), GIT);
  writeFileSync(join(root, 'product'), WORKING);
  const source = packSource(root);
  const cache = join(root, 'cache', 'corral', 'llama-server');
  const env = { HOME: root, XDG_CACHE_HOME: join(root, 'cache'), PATH: bin, SCRATCH: root };
  const calls = (tool: string): string[] => readLines(join(root, `${tool}.log`));
  return { root, bin, env, cache, source, calls, built: builtServerPath(cache, source.version) };
}

type Machine = ReturnType<typeof machine>;

function packSource(root: string): LlamaSource {
  const folder = join(root, 'package', 'llama');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'gitRelease.bundle'), 'a bundle');
  writeFileSync(join(root, 'package', 'not-wanted'), 'other');
  const file = join(root, 'source.tgz');
  execFileSync('tar', ['-czf', file, '-C', root, 'package']);
  const sha512 = createHash('sha512').update(readFileSync(file)).digest('base64');
  return { version: 'v9.9', npmPackage: 'node-llama-cpp@0.0.0', sha512, bundle: 'package/llama/gitRelease.bundle' };
}

const readLines = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];

/** What a build has left besides its result and the lock. */
const workFolders = (cache: string): string[] =>
  existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith('building-')) : [];

interface Built extends LlamaServer {
  readonly told: readonly LlamaServerProgress[];
}

async function build({ env, source }: Machine, parts: Partial<Parts> = {}, signal?: AbortSignal): Promise<Built> {
  const told: LlamaServerProgress[] = [];
  const server = await locateLlamaServer(
    { env, build: true, signal: signal ?? new AbortController().signal, report: (progress) => told.push(progress) },
    { source, limits, run: runCommand, ...parts },
  );
  return { ...server, told };
}

/** A builder in a process of its own, which prints what it is told as a line of JSON each. */
function startBuilder(t: TestContext, { env, source }: Machine): { child: ChildProcess; lines: AsyncIterator<string> } {
  const here = JSON.stringify(new URL('./locate-llama-server.ts', import.meta.url).href);
  const run = JSON.stringify(new URL('./run-command.ts', import.meta.url).href);
  const code = `
    const { locateLlamaServer } = await import(${here});
    const { runCommand } = await import(${run});
    const say = (it) => process.stdout.write(JSON.stringify(it) + '\\n');
    const signal = new AbortController().signal;
    const parts = { source: ${JSON.stringify(source)}, limits: ${JSON.stringify(limits)}, run: runCommand };
    say({ kind: 'result', ...(await locateLlamaServer({ env: process.env, build: true, report: say, signal }, parts)) });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

interface Line {
  readonly kind: string;
  readonly how?: string;
  readonly reason?: string;
  readonly path?: string;
}

/** Reads on to the first line of a kind. */
async function nextOf(lines: AsyncIterator<string>, kind: string): Promise<Line> {
  for (;;) {
    const next = await lines.next();
    if (next.done === true) assert.fail(`the builder ended without a line of kind ${kind}`);
    const line = JSON.parse(next.value) as Line;
    if (line.kind === kind) return line;
  }
}

interface Compiler {
  readonly started: Promise<unknown>;
  /** When the last process that holds the pipe open has ended. */
  readonly ended: Promise<unknown>;
  /** Lets one compiler go on. */
  readonly release: () => void;
}

/** Makes compilers wait, and shows their start and end by a named pipe that they hold open while they live. */
function holdCompilers(t: TestContext, root: string): Compiler {
  const [alive, go] = [join(root, 'alive'), join(root, 'go')];
  execFileSync('mkfifo', [alive, go]);
  // Neither way of opening waits for the other end, so that a failing test ends all the same.
  const gate = openSync(go, 'r+');
  const life = new Socket({ fd: openSync(alive, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  t.after(() => {
    closeSync(gate);
    life.destroy();
  });
  return { started: once(life, 'data'), ended: once(life, 'end'), release: () => writeSync(gate, 'go\n') };
}

test('A build fetches the pinned package, takes the bundle alone, builds and keeps the program in the cache.', async (t) => {
  const it = machine(t);
  const { told, ...server } = await build(it);
  assert.deepEqual(server, { path: it.built, version: '9.9 (built)', how: 'build' });
  assert.match(String(it.calls('npm')[0]), /^pack node-llama-cpp@0\.0\.0 --ignore-scripts/);
  assert.match(String(it.calls('git')[0]), /^clone --quiet package\/llama\/gitRelease\.bundle source$/);
  const [configure, compile] = it.calls('cmake');
  for (const option of ['-DGGML_NATIVE=OFF', '-DBUILD_SHARED_LIBS=OFF', '-DLLAMA_CURL=OFF', '-DLLAMA_BUILD_UI=OFF']) {
    assert.ok(configure?.includes(option) === true, option);
  }
  assert.match(compile ?? '', /^--build build --target llama-server -j \d+$/);
  const percents = told.filter((p) => p.kind === 'percent').map((p) => p.percent);
  assert.deepEqual(percents, [10, 100]);
  assert.deepEqual(workFolders(it.cache), []);
  assert.equal((await build(it)).how, 'cache');
  assert.equal(it.calls('npm').length, 1, 'the second run builds nothing');
});

test('A program in the cache that does not work any more is built anew.', async (t) => {
  const it = machine(t);
  await build(it);
  script(it.built, '#!/bin/sh\nexit 1\n');
  const again = await build(it);
  assert.deepEqual([again.how, again.version], ['build', '9.9 (built)']);
});

test('Where only ninja is there, cmake is told to use it.', async (t) => {
  const it = machine(t);
  rmSync(join(it.bin, 'make'));
  script(join(it.bin, 'ninja'), '#!/bin/sh\n');
  await build(it);
  assert.match(String(it.calls('cmake')[0]), /^-B build -G Ninja /);
});

test('Variables of a git hook or of npm that point elsewhere do not reach the tools.', async (t) => {
  const it = machine(t);
  script(join(it.bin, 'git'), `${GIT}\necho "dir=$GIT_DIR dry=$npm_config_dry_run kept=$KEPT" >> "$SCRATCH/git.log"\n`);
  Object.assign(it.env, { GIT_DIR: '/elsewhere', npm_config_dry_run: 'true', KEPT: 'yes' });
  await build(it);
  assert.equal(it.calls('git')[1], 'dir= dry= kept=yes');
});

/** Expects that no way led anywhere, and a text in the message for the build. */
async function expectFailure(it: Machine, says: RegExp, parts: Partial<Parts> = {}): Promise<void> {
  await assert.rejects(build(it, parts), { code: 'E_LLAMA_SERVER_NOT_FOUND', message: says });
  assert.deepEqual(workFolders(it.cache), []);
  assert.equal(existsSync(it.built), false);
}

test('Tools that are missing are all named, with what installs them, before anything is fetched.', async (t) => {
  const it = machine(t);
  for (const name of ['git', 'cmake', 'c++', 'make']) rmSync(join(it.bin, name));
  await expectFailure(it, /missing on PATH: git, cmake, a C\+\+ compiler \(.*\), make or ninja\n +fix: install them/);
  assert.deepEqual(it.calls('npm'), []);
  Object.assign(it.env, { CXX: 'ccache g++' });
  await expectFailure(it, /missing on PATH: git, cmake, make or ninja/);
});

test('A failed download is told in the words of npm.', async (t) => {
  const it = machine(t);
  writeFileSync(join(it.root, 'npm-error'), '');
  await expectFailure(
    it,
    /6\. build from source: downloading .* failed: npm pack ended with exit code 1; [^]*npm error code E401/,
  );
});

test('A package with other bytes than the pinned ones is refused before it is unpacked.', async (t) => {
  const it = machine(t);
  const sha512 = createHash('sha512').update('other').digest('base64');
  await expectFailure(it, /is [A-Za-z0-9+/]{86}== where .* is expected/, { source: { ...it.source, sha512 } });
  assert.deepEqual(it.calls('git'), []);
});

test('A failed compilation is told with the last lines of the compiler.', async (t) => {
  const it = machine(t);
  writeFileSync(join(it.root, 'compiler-error'), '');
  await expectFailure(it, /building llama-server .* failed: cmake --build ended with exit code 2; [^]*no such luck/);
});

test('A program that was built and does not answer is not kept.', async (t) => {
  const it = machine(t);
  writeFileSync(join(it.root, 'product'), '#!/bin/sh\nexit 4\n');
  await expectFailure(it, /the built .* answered --version with exit code 4/);
});

test('A compilation that takes too long is ended and told.', async (t) => {
  const it = machine(t);
  holdCompilers(t, it.root);
  await expectFailure(it, /took longer than 0\.5 s/, { limits: { ...limits, compile: seconds(0.5) } });
});

test('A cache that cannot be written is told.', async (t) => {
  const it = machine(t);
  writeFileSync(join(it.root, 'cache'), 'a file where the folder should be');
  await assert.rejects(build(it), {
    code: 'E_LLAMA_SERVER_NOT_FOUND',
    message: /6\. build from source: E(NOTDIR|EXIST)/,
  });
});

test('An interruption ends the compiler and leaves nothing.', async (t) => {
  const it = machine(t);
  const compiler = holdCompilers(t, it.root);
  const ending = new AbortController();
  const result = build(it, {}, ending.signal);
  const rejected = assert.rejects(result, { code: 'E_LLAMA_SERVER_INTERRUPTED' });
  await compiler.started;
  ending.abort();
  await Promise.all([rejected, compiler.ended]);
  assert.deepEqual(workFolders(it.cache), []);
  assert.equal(existsSync(it.built), false);
});

test('A builder that is killed takes its compiler along, and the next one clears up and builds.', async (t) => {
  const it = machine(t);
  const compiler = holdCompilers(t, it.root);
  const { child } = startBuilder(t, it);
  await compiler.started;
  child.kill('SIGKILL');
  await Promise.all([once(child, 'exit'), compiler.ended]);
  assert.equal(workFolders(it.cache).length, 1, 'nobody was left to clear up');
  assert.equal(existsSync(it.built), false);
  for (const pipe of ['alive', 'go']) rmSync(join(it.root, pipe));
  const next = await build(it);
  assert.equal(next.how, 'build');
  assert.ok(
    next.told.every((p) => p.kind !== 'waiting'),
    'the lock ended with its holder',
  );
  assert.deepEqual(workFolders(it.cache), []);
});

test('Of two builders at once the second says whom it waits for, and uses the result of the first.', async (t) => {
  const it = machine(t);
  const compiler = holdCompilers(t, it.root);
  const first = startBuilder(t, it);
  await compiler.started;
  const second = startBuilder(t, it);
  const waiting = await nextOf(second.lines, 'waiting');
  assert.match(waiting.reason ?? '', new RegExp(`process ${first.child.pid ?? 0}, `));
  compiler.release();
  const results = await Promise.all([nextOf(first.lines, 'result'), nextOf(second.lines, 'result')]);
  assert.deepEqual(results.map((result) => result.how), ['build', 'cache']); // prettier-ignore
  assert.deepEqual(results.map((result) => result.path), [it.built, it.built]); // prettier-ignore
  assert.equal(it.calls('cmake').length, 2, 'one configure and one build');
});

test('When the first of two builders fails, the second builds for itself.', async (t) => {
  const it = machine(t);
  const compiler = holdCompilers(t, it.root);
  const first = build(it);
  await compiler.started;
  writeFileSync(join(it.root, 'compiler-error'), '');
  const second = startBuilder(t, it);
  await nextOf(second.lines, 'waiting');
  rmSync(join(it.root, 'alive'));
  const failed = assert.rejects(first, { code: 'E_LLAMA_SERVER_NOT_FOUND' });
  compiler.release();
  await failed;
  rmSync(join(it.root, 'compiler-error'));
  compiler.release();
  assert.equal((await nextOf(second.lines, 'result')).how, 'build');
});

test('A wait for another builder ends, by its limit or by an interruption.', async (t) => {
  const it = machine(t);
  const compiler = holdCompilers(t, it.root);
  const ending = new AbortController();
  const first = assert.rejects(build(it, {}, ending.signal), { code: 'E_LLAMA_SERVER_INTERRUPTED' });
  await compiler.started;
  const short = { limits: { ...limits, wait: seconds(0.1) } };
  await assert.rejects(build(it, short), { message: /lock\.sqlite is still held by another process after 0\.1 s/ });
  const leaving = new AbortController();
  const waiting = locateLlamaServer(
    { env: it.env, build: true, signal: leaving.signal, report: (p) => { if (p.kind === 'waiting') leaving.abort(); } }, // prettier-ignore
    { source: it.source, limits, run: runCommand },
  );
  await assert.rejects(waiting, { code: 'E_LLAMA_SERVER_INTERRUPTED' });
  ending.abort();
  await first;
});
