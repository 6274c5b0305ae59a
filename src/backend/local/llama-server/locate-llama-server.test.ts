import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { minutes, seconds } from '../../../domain/units.ts';
import type { LlamaServer, LlamaServerProgress } from './llama-server.ts';
import { llamaSource } from './llama-source.ts';
import { locateLlamaServer } from './locate-llama-server.ts';
import type { Parts } from './locate-llama-server.ts';
import { runCommand } from './run-command.ts';
import { builtServerPath } from './server-cache.ts';

/** A folder of its own for one test, with a home and a PATH in it that hold nothing. */
function scratch(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'corral-locate-'));
  t.after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const cache = join(root, '.cache', 'corral', 'llama-server');
  const env: NodeJS.ProcessEnv = { HOME: root, PATH: bin };
  return { root, bin, cache, env, cached: builtServerPath(cache, llamaSource.version) };
}

const answering = (version: string): string => `#!/bin/sh\necho 'version: ${version}' >&2\n`;

function place(path: string, text: string, mode = 0o755): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

interface Given {
  readonly env: NodeJS.ProcessEnv;
  readonly explicit?: string;
  readonly parts?: Partial<Parts>;
  readonly signal?: AbortSignal;
}

const limits = {
  version: seconds(10),
  download: minutes(1),
  unpack: minutes(1),
  configure: minutes(1),
  compile: minutes(1),
  wait: minutes(1),
  poll: seconds(0.01),
};

/** Looks without building; with all that was reported meanwhile. */
async function locate({ env, explicit, parts, signal = new AbortController().signal }: Given): Promise<Found> {
  const told: LlamaServerProgress[] = [];
  const request = { explicit, env, build: false, signal, report: (p: LlamaServerProgress) => told.push(p) };
  const server = await locateLlamaServer(request, { source: llamaSource, limits, run: runCommand, ...parts });
  return { ...server, told };
}

type Found = LlamaServer & { readonly told: readonly LlamaServerProgress[] };

/** PATH with the real tar and what it calls, but no llama-server. */
const withTar = (bin: string): string => `${bin}:/usr/bin:/bin`;

test('The option wins over everything else, and says so.', async (t) => {
  const { root, bin, env, cached } = scratch(t);
  const path = place(join(root, 'mine'), answering('option'));
  place(join(bin, 'llama-server'), answering('path'));
  place(cached, answering('cache'));
  env['LLAMA_SERVER'] = place(join(root, 'other'), answering('environment'));
  const found = await locate({ env, explicit: path });
  assert.deepEqual(found, { path, version: 'option', how: 'option', told: [] });
});

test('LLAMA_SERVER wins over PATH and the cache.', async (t) => {
  const { root, bin, env, cached } = scratch(t);
  place(join(bin, 'llama-server'), answering('path'));
  place(cached, answering('cache'));
  const path = place(join(root, 'mine'), answering('environment'));
  env['LLAMA_SERVER'] = path;
  assert.deepEqual(await locate({ env }), { path, version: 'environment', how: 'environment', told: [] });
});

test('PATH wins over the cache, and an empty LLAMA_SERVER counts as not set.', async (t) => {
  const { bin, env, cached } = scratch(t);
  place(cached, answering('cache'));
  const path = place(join(bin, 'llama-server'), answering('0.5.0-dev (build 1, commit de3ff81)'));
  env['LLAMA_SERVER'] = '';
  const found = await locate({ env });
  assert.deepEqual(found, { path, version: '0.5.0-dev (build 1, commit de3ff81)', how: 'path', told: [] });
});

test('Without any other the one in the cache is used, below XDG_CACHE_HOME where that is absolute.', async (t) => {
  const { root, env, cached } = scratch(t);
  place(cached, answering('home'));
  env['XDG_CACHE_HOME'] = 'relative/is/ignored';
  assert.equal((await locate({ env })).version, 'home');
  env['XDG_CACHE_HOME'] = join(root, 'xdg');
  const path = place(
    builtServerPath(join(root, 'xdg', 'corral', 'llama-server'), llamaSource.version),
    answering('xdg'),
  );
  assert.deepEqual(await locate({ env }), { path, version: 'xdg', how: 'cache', told: [] });
});

test('A version in the middle of a line of the log is one.', async (t) => {
  const { root, env } = scratch(t);
  const said = '0.00.000.471 I srv  version: 0.5.0-dev (build 1, commit de3ff81)';
  const path = place(join(root, 'mine'), `#!/bin/sh\necho '${said}' >&2\n`);
  assert.equal((await locate({ env, explicit: path })).version, '0.5.0-dev (build 1, commit de3ff81)');
});

const wrongOnes = [
  { what: 'is missing', make: () => undefined, says: /does not exist/ },
  { what: 'is a folder', make: mkdirSync, says: /is not a file/ },
  { what: 'is not executable', make: (path: string) => place(path, answering('x'), 0o644), says: /is not executable/ },
  {
    what: 'fails when asked',
    make: (path: string) => place(path, '#!/bin/sh\necho "libx.so: cannot open" >&2\nexit 127\n'),
    says: /exit code 127: libx\.so: cannot open/,
  },
  {
    what: 'is another program',
    make: (path: string) => place(path, '#!/bin/sh\necho "hello, version: 1"\n'),
    says: /is no llama-server/,
  },
  {
    what: 'is for another machine',
    make: (path: string) => place(path, '\x7fELF of some other machine'),
    says: /cannot be run|exit code 127/,
  },
  {
    what: 'needs what is not there',
    make: (path: string) => place(path, '#!/nowhere/sh\n'),
    says: /cannot be run \(ENOENT/,
  },
  { what: 'ends by a signal', make: (path: string) => place(path, '#!/bin/sh\nkill -ABRT $$\n'), says: /SIGABRT/ },
  {
    what: 'does not answer in time',
    make: (path: string) => place(path, '#!/bin/sh\nexec /bin/sleep 600\n'),
    says: /did not answer --version within 0\.3 s/,
    limits: { ...limits, version: seconds(0.3) },
  },
];

for (const { what, make, says, limits: bounds } of wrongOnes) {
  const parts = bounds === undefined ? {} : { limits: bounds };

  test(`A llama-server named by the user that ${what} is an error and gives way to no other.`, async (t) => {
    const { root, bin, env } = scratch(t);
    place(join(bin, 'llama-server'), answering('path'));
    const path = join(root, 'mine');
    make(path);
    const fails = (title: RegExp) => (error: Error & { code: string }) => {
      assert.equal(error.code, 'E_LLAMA_SERVER_UNUSABLE');
      assert.match(error.message, title);
      assert.match(error.message, says);
      assert.ok(error.message.includes(path));
      return true;
    };
    await assert.rejects(locate({ env, explicit: path, parts }), fails(/^--llama-server: /));
    await assert.rejects(locate({ env: { ...env, LLAMA_SERVER: path }, parts }), fails(/^LLAMA_SERVER: /));
  });
}

test('An empty option is an error.', async (t) => {
  const { env } = scratch(t);
  await assert.rejects(locate({ env, explicit: '' }), { code: 'E_LLAMA_SERVER_UNUSABLE', message: /is empty/ });
});

test('One on PATH that is of no use is reported, and the one in the cache is used.', async (t) => {
  const { bin, env, cached } = scratch(t);
  const broken = place(join(bin, 'llama-server'), '#!/bin/sh\nexit 3\n');
  place(cached, answering('cache'));
  const found = await locate({ env });
  assert.equal(found.how, 'cache');
  const reason = `${broken} answered --version with exit code 3`;
  assert.deepEqual(found.told, [{ kind: 'unusable', how: 'path', reason }]);
});

/** Ends as llama-server does when it reads that variable, whatever else it is asked. */
const refusing = (name: string): string =>
  `#!/bin/sh\n[ -z "$${name}" ] || { echo 'error while handling environment variable "${name}": stoi' >&2; echo end; exit 1; }\necho 'version: 1'\n`;

test("A wrong value in the environment is told as that, by the variable's name, and nothing else is tried.", async (t) => {
  const { bin, env, cached } = scratch(t);
  const path = place(join(bin, 'llama-server'), refusing('LLAMA_ARG_CTX_SIZE'));
  place(cached, answering('cache'));
  assert.equal((await locate({ env })).how, 'path');
  assert.equal((await locate({ env: { ...env, LLAMA_ARG_THREADS: '2' } })).how, 'path');
  await assert.rejects(locate({ env: { ...env, LLAMA_ARG_CTX_SIZE: 'abc' } }), {
    code: 'E_LLAMA_SERVER_ENVIRONMENT',
    message: `${path} answers --version without LLAMA_ARG_CTX_SIZE in its environment, and with it ends with exit code 1: error while handling environment variable "LLAMA_ARG_CTX_SIZE": stoi. Correct the variable's value, or unset it: ${path} --help tells what it takes`,
  });
});

test('A variable that reaches no model is not asked about.', async (t) => {
  const { bin, env } = scratch(t);
  place(join(bin, 'llama-server'), refusing('LLAMA_ARG_PORT'));
  assert.equal((await locate({ env: { ...env, LLAMA_ARG_PORT: 'abc' } })).how, 'path');
});

test('A PATH entry that is relative, or a file without the right to run it, is passed over.', async (t) => {
  const { root, bin, env } = scratch(t);
  place(join(bin, 'llama-server'), answering('not executable'), 0o644);
  place(join(root, 'second', 'llama-server'), answering('second'));
  place(join(root, 'near', 'llama-server'), answering('near'));
  env['PATH'] = `${relative(process.cwd(), join(root, 'near'))}:${bin}:${join(root, 'second')}`;
  assert.equal((await locate({ env })).version, 'second');
});

test('Where nothing is found one message names every way in order, what was missing and the fix.', async (t) => {
  const { env, cache, cached } = scratch(t);
  await assert.rejects(locate({ env }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'E_LLAMA_SERVER_NOT_FOUND');
    const numbered = error.message.split('\n').filter((line) => /^ {2}\d\. /.test(line));
    assert.deepEqual(
      numbered.map((line) => line.slice(5, line.indexOf(':'))),
      ['--llama-server', 'LLAMA_SERVER', 'PATH', 'cache', 'prebuilt archive', 'build from source'],
    );
    assert.ok(error.message.includes(`${cached} does not exist`));
    assert.match(error.message, /LLAMA_SERVER_URL and LLAMA_SERVER_SHA256 are not set/);
    assert.match(error.message, /corral llama-server --build/);
    assert.equal(error.message.match(/fix: /g)?.length, 4);
    return true;
  });
  assert.equal(existsSync(cache), false, 'looking creates nothing');
});

test('A request that is given up is answered as interrupted.', async (t) => {
  const { env, cached } = scratch(t);
  place(cached, answering('cache'));
  await assert.rejects(locate({ env, signal: AbortSignal.abort() }), { code: 'E_LLAMA_SERVER_INTERRUPTED' });
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** An HTTP server on this machine, and the requests it has seen. */
async function serve(t: TestContext, answer: RequestListener): Promise<{ origin: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Packs files below a folder, as a release of llama.cpp does: the program beside a library that a link names. */
function packRelease(root: string, script: string): Buffer {
  const folder = join(root, 'pack', 'llama-b1');
  place(join(folder, 'bin', 'llama-server'), script);
  place(join(folder, 'bin', 'libllama.so.0'), 'library');
  execFileSync('ln', ['-s', 'libllama.so.0', join(folder, 'bin', 'libllama.so')]);
  const file = join(root, 'release.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', join(root, 'pack'), 'llama-b1']);
  return readFileSync(file);
}

/** Everything below a folder but the lock. */
function leftIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'lock.sqlite') : [];
}

test('A configured archive is fetched once, unpacked whole and kept by its checksum.', async (t) => {
  const { root, bin, env, cache, cached } = scratch(t);
  place(cached, answering('built earlier'));
  const bytes = packRelease(root, answering('archive'));
  const { origin, seen } = await serve(t, (_, response) => response.end(bytes));
  Object.assign(env, { LLAMA_SERVER_URL: `${origin}/r.tgz`, LLAMA_SERVER_SHA256: sha256(bytes).toUpperCase() });
  env['PATH'] = withTar(bin);
  const first = await locate({ env });
  const folder = join(cache, `sha256-${sha256(bytes)}`, 'llama-b1', 'bin');
  assert.equal(first.path, join(folder, 'llama-server'));
  assert.deepEqual([first.how, first.version], ['archive', 'archive']);
  assert.equal(readFileSync(join(folder, 'libllama.so'), 'utf8'), 'library');
  assert.ok(first.told.some((p) => p.kind === 'percent' && p.percent === 100));
  const second = await locate({ env });
  assert.deepEqual([second.how, second.path], ['cache', first.path]);
  assert.equal(seen.length, 1, 'the second run asks nobody');
  assert.equal(leftIn(cache).length, 2, 'the build and the archive, no work folder');
});

test('A bare program is an archive too.', async (t) => {
  const { env, cache } = scratch(t);
  const bytes = Buffer.from(answering('bare'));
  const { origin } = await serve(t, (_, response) => response.end(bytes));
  Object.assign(env, { LLAMA_SERVER_URL: `${origin}/llama-server`, LLAMA_SERVER_SHA256: sha256(bytes) });
  const found = await locate({ env });
  assert.deepEqual([found.how, found.version], ['archive', 'bare']);
  assert.equal(found.path, join(cache, `sha256-${sha256(bytes)}`, 'llama-server'));
});

test('A copy in the cache that does not work any more is fetched anew.', async (t) => {
  const { env } = scratch(t);
  const bytes = Buffer.from(answering('bare'));
  const { origin } = await serve(t, (_, response) => response.end(bytes));
  Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: sha256(bytes) });
  const { path } = await locate({ env });
  place(path, '#!/bin/sh\nexit 1\n');
  const again = await locate({ env });
  assert.deepEqual([again.how, again.version, again.path], ['archive', 'bare', path]);
  assert.ok(again.told.some((p) => p.kind === 'unusable' && p.how === 'cache'));
});

test('An archive with another checksum is refused with both sums, and nothing of it is unpacked or kept.', async (t) => {
  const { root, bin, env, cache } = scratch(t);
  const bytes = packRelease(root, answering('archive'));
  const { origin } = await serve(t, (_, response) => response.end(bytes));
  const expected = 'ab'.repeat(32);
  const commands: string[] = [];
  const run: Parts['run'] = async (command) => {
    commands.push(command.argv[0]);
    return runCommand(command);
  };
  env['PATH'] = withTar(bin);
  Object.assign(env, { LLAMA_SERVER_URL: `${origin}/r.tgz`, LLAMA_SERVER_SHA256: expected });
  await assert.rejects(locate({ env, parts: { run } }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'E_LLAMA_SERVER_ARCHIVE');
    assert.ok(error.message.includes(expected) && error.message.includes(sha256(bytes)), error.message);
    return true;
  });
  assert.deepEqual(commands, []);
  assert.deepEqual(leftIn(cache), []);
});

const wrongSettings = [
  { set: { LLAMA_SERVER_URL: 'http://x/y' }, says: /LLAMA_SERVER_SHA256 is not set/ },
  { set: { LLAMA_SERVER_SHA256: 'ab'.repeat(32) }, says: /LLAMA_SERVER_URL is not set/ },
  { set: { LLAMA_SERVER_URL: 'http://x/y', LLAMA_SERVER_SHA256: 'abc' }, says: /64 hexadecimal digits.* 3 characters/ },
  { set: { LLAMA_SERVER_URL: 'x/y.tgz', LLAMA_SERVER_SHA256: 'ab'.repeat(32) }, says: /is not a URL/ },
  { set: { LLAMA_SERVER_URL: 'file:///y.tgz', LLAMA_SERVER_SHA256: 'ab'.repeat(32) }, says: /begins with file:/ },
];

for (const { set, says } of wrongSettings) {
  test(`An archive's setting that is wrong is an error of its own: ${String(says)}.`, async (t) => {
    const { env } = scratch(t);
    await assert.rejects(locate({ env: { ...env, ...set } }), { code: 'E_LLAMA_SERVER_ARCHIVE', message: says });
  });
}

test('A download that fails is an error that shows neither password nor query, and keeps nothing.', async (t) => {
  const { env, cache } = scratch(t);
  const { origin, seen } = await serve(t, (_, response) => response.writeHead(403).end());
  const url = new URL(`${origin}/r.tgz?token=secret-query`);
  url.username = 'me';
  url.password = 'secret-word';
  Object.assign(env, { LLAMA_SERVER_URL: url.href, LLAMA_SERVER_SHA256: 'ab'.repeat(32) });
  await assert.rejects(locate({ env }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'E_LLAMA_SERVER_ARCHIVE');
    assert.match(error.message, /\/r\.tgz.*answered 403/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  assert.equal(seen[0]?.headers.authorization, `Basic ${Buffer.from('me:secret-word').toString('base64')}`);
  assert.deepEqual(leftIn(cache), []);
});

test('A download that breaks off in the middle is an error and keeps nothing.', async (t) => {
  const { env, cache } = scratch(t);
  const { origin } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('#!/bin/sh');
    response.once('drain', () => undefined).destroy();
  });
  Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: 'ab'.repeat(32) });
  await assert.rejects(locate({ env }), { code: 'E_LLAMA_SERVER_ARCHIVE', message: /downloading .* failed/ });
  assert.deepEqual(leftIn(cache), []);
});

test('Interrupting a download leaves nothing.', async (t) => {
  const { env, cache } = scratch(t);
  const ending = new AbortController();
  const { origin } = await serve(t, () => {
    ending.abort();
  });
  Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: 'ab'.repeat(32) });
  await assert.rejects(locate({ env, signal: ending.signal }), { code: 'E_LLAMA_SERVER_INTERRUPTED' });
  assert.deepEqual(leftIn(cache), []);
});

const wrongArchives = [
  { what: 'that is a zip', make: () => Buffer.from('PK\x03\x04 and more', 'latin1'), says: /zip/ },
  { what: 'that is a web page', make: () => Buffer.from('<html>sign in</html>'), says: /neither a \.tar\.gz/ },
  { what: 'that is empty', make: () => Buffer.alloc(0), says: /neither a \.tar\.gz/ },
  {
    what: 'that is cut off',
    make: (root: string) => packRelease(root, answering('archive')).subarray(0, 60),
    says: /listing the archive failed/,
  },
  {
    what: 'without a llama-server',
    make: (root: string) => packed(root, ['-C', dirname(place(join(root, 'in', 'readme'), 'text')), 'readme']),
    says: /no file named llama-server/,
  },
  {
    what: 'whose llama-server does not run',
    make: (root: string) => packRelease(root, '#!/bin/sh\nexit 9\n'),
    says: /exit code 9/,
  },
  {
    what: 'with an entry above its folder',
    make: (root: string) =>
      packed(root, ['-P', '-C', dirname(place(join(root, 'in', 'a', 'b'), 'x')), '../../evil'], root),
    says: /entry \.\.\/\.\.\/evil would reach outside/,
  },
  {
    what: 'whose llama-server links to one outside',
    make: (root: string) => {
      place(join(root, 'in', 'x'), 'x');
      execFileSync('ln', ['-s', '/bin/sh', join(root, 'in', 'llama-server')]);
      return packed(root, ['-C', join(root, 'in'), 'llama-server']);
    },
    says: /entry llama-server would reach outside/,
  },
];

function packed(root: string, args: readonly string[], evilIn?: string): Buffer {
  if (evilIn !== undefined) writeFileSync(join(evilIn, 'evil'), 'evil');
  const file = join(root, 'wrong.tgz');
  execFileSync('tar', ['-czf', file, ...args], { stdio: 'pipe' });
  return readFileSync(file);
}

for (const { what, make, says } of wrongArchives) {
  test(`An archive ${what} is refused by that reason, and nothing is kept.`, async (t) => {
    const { root, bin, env, cache } = scratch(t);
    const bytes = make(root);
    const { origin } = await serve(t, (_, response) => response.end(bytes));
    Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: sha256(bytes), PATH: withTar(bin) });
    await assert.rejects(locate({ env }), { code: 'E_LLAMA_SERVER_ARCHIVE', message: says });
    assert.deepEqual(leftIn(cache), []);
  });
}

test('A .tar.gz on a machine without tar is refused by that reason.', async (t) => {
  const { root, env } = scratch(t);
  const bytes = packRelease(root, answering('archive'));
  const { origin } = await serve(t, (_, response) => response.end(bytes));
  Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: sha256(bytes) });
  await assert.rejects(locate({ env }), { code: 'E_LLAMA_SERVER_ARCHIVE', message: /tar is not on PATH/ });
});

test('The proxy of the environment is asked for the archive.', async (t) => {
  const { env } = scratch(t);
  const bytes = Buffer.from(answering('by proxy'));
  const { origin, seen } = await serve(t, (_, response) => response.end(bytes));
  const proxy = createServer();
  proxy.on('request', (request, response) => {
    seen.push(request);
    response.end(bytes);
  });
  proxy.on('connect', (request, socket) => {
    seen.push(request);
    socket.end('HTTP/1.1 502 no\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  Object.assign(env, { LLAMA_SERVER_URL: origin, LLAMA_SERVER_SHA256: sha256(bytes) });
  env['http_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await locate({ env }).catch(() => undefined);
  assert.ok(seen.some((request) => request.method === 'CONNECT' || request.url?.startsWith('http://') === true));
  await locate({ env: { ...env, no_proxy: '127.0.0.1' } });
});
