import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { runCommand } from './support/run-command.ts';
import { cleanEnvironment, makeTempTree, root } from './support/temp-tree.ts';
import type { Outcome } from './support/run-command.ts';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** What the package is made of. Packed from a copy: a dist in the real tree would shadow src for everybody else. */
const ingredients = ['LICENSE', 'package.json', 'package-lock.json', '.npmrc', 'tsconfig.json', 'bin', 'src'];

/** What makes dist. */
const scripts = ['node.sh', 'build-dist.ts', 'bundle.ts', 'lean-source-map.ts', 'notices.ts'].map(
  (name) => `scripts/${name}`,
);

/** npm reads settings of the npm that runs us from these. */
const ownSettings = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^npm_(package|lifecycle|command|execpath|config_(local_prefix|prefix))/i.test(name))
    .map((name) => [name, undefined]),
);

describe('the npm package', () => {
  const checkout = makeTempTree();
  const app = makeTempTree();
  let packed: Packed | undefined;

  const npm = (cwd: string, ...args: readonly string[]): Outcome => {
    const outcome = runCommand('npm', args, { cwd, env: ownSettings });
    assert.equal(outcome.status, 0, outcome.stderr + outcome.stdout);
    return outcome;
  };
  const corral = (...args: readonly string[]): Outcome =>
    runCommand(join(app.path, 'node_modules/.bin/corral'), args, { cwd: app.path });

  before(() => {
    checkout.copy(...ingredients, ...scripts);
    checkout.linkModules();
    const { stdout } = npm(checkout.path, 'pack', '--json', '--loglevel=error');
    // Scripts of the package print before it; the answer is a list, or an object by package name in newer versions.
    const answer = JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, Packed>;
    packed = Object.values(answer)[0];
    app.write('package.json', '{ "private": true }');
    const tarball = join(checkout.path, String(packed?.filename));
    npm(app.path, 'install', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error', tarball);
  });
  after(() => {
    checkout.remove();
    app.remove();
  });

  it('holds the bundled program and its licences without tests and sources', () => {
    const files = packed?.files.map(({ path }) => path) ?? [];
    assert.ok(files.includes('dist/main.js') && files.includes('dist/THIRD-PARTY-NOTICES.txt'), files.join('\n'));
    assert.ok(files.includes('bin/corral') && files.includes('bin/find-node.sh'), files.join('\n'));
    assert.deepEqual(
      files.filter((path) => path.includes('.test.') || path.includes('testing/') || path.endsWith('.ts')),
      [],
    );
  });

  it('leaves no dist behind that would shadow src', () => {
    assert.equal(existsSync(join(checkout.path, 'dist')), false);
  });

  it('tells its version from where it is installed', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const { status, stdout, stderr } = corral('--version');
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('tells its usage from where it is installed', () => {
    const { status, stdout, stderr } = corral('--help');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /\bserve\b/);
  });

  it('tells the usage of serve, which loads what serving needs', () => {
    const { status, stdout, stderr } = corral('serve', '--help');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /--models-dir/);
  });

  it('installs nothing else but a Node', () => {
    const lock = readFileSync(join(app.path, 'node_modules/.package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: object };
    const others = Object.keys(packages).filter((path) => !/^node_modules\/node-(?:bin-)?(?:linux|darwin)-/.test(path));
    assert.deepEqual(others, ['node_modules/corral']);
  });

  it('passes on the licence of each package that has become part of the program', () => {
    const dist = join(app.path, 'node_modules/corral/dist');
    const programs = readdirSync(dist).filter((name) => name.endsWith('.js'));
    const text = programs.map((name) => readFileSync(join(dist, name), 'utf8')).join('');
    // esbuild writes the path of each source above it.
    const found = new Set(
      [...text.matchAll(/^ *\/\/ \S*(node_modules\/(?:@[^/\s]+\/)?[^/\s]+)\//gmu)].map(([, path]) => path),
    );
    const notices = readFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    assert.ok(found.size > 20 && found.has('node_modules/undici'), [...found].join());
    for (const folder of found) {
      const files = readdirSync(join(root, String(folder))).filter((name) => /^licen[cs]e/iu.test(name));
      assert.ok(files.length > 0, `${folder} has a licence`);
      for (const name of files) {
        const licence = readFileSync(join(root, String(folder), name), 'utf8').trim();
        assert.ok(notices.includes(licence), `${folder}/${name} is passed on`);
      }
    }
  });

  /** The text of a file of the program and of all that is loaded with it. */
  function loadedWith(file: RegExp): string {
    const dist = join(app.path, 'node_modules/corral/dist');
    const first = readdirSync(dist).find((name) => file.test(name));
    assert.ok(first !== undefined);
    const read = new Map<string, string>();
    const load = (name: string): void => {
      if (read.has(name)) return;
      const text = readFileSync(join(dist, name), 'utf8');
      read.set(name, text);
      for (const [, imported] of text.matchAll(/^(?:import|\}) (?:.* )?(?:from )?"\.\/([^"]+)";$/gmu))
        load(String(imported));
    };
    load(first);
    assert.ok(read.size > 1);
    return [...read.values()].join('');
  }

  it('loads for --version neither undici nor pino: what is imported when needed is in files of its own', () => {
    const all = loadedWith(/^main\.js$/u);
    assert.match(all, /^ *\/\/ \S*node_modules\/commander\//mu);
    assert.doesNotMatch(all, /^ *\/\/ \S*node_modules\/(?:undici|pino|prom-client)\//mu);
  });

  it('loads for serve no undici, which takes 13 MB and is for downloads only', () => {
    const all = loadedWith(/^main-serve-.*\.js$/u);
    assert.match(all, /^ *\/\/ \S*node_modules\/pino\//mu);
    assert.doesNotMatch(all, /^ *\/\/ \S*node_modules\/undici\//mu);
  });

  it('names files and lines of src in the stack of an error where Node reads its maps, and places of packages in dist', () => {
    const breaks = app.write(
      'break.mjs',
      `import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
crypto.randomBytes = () => { throw new Error('provoked'); };
syncBuiltinESMExports();`,
    );
    const { status, stderr } = runCommand(join(app.path, 'node_modules/.bin/corral'), ['key', '--id', 'x'], {
      cwd: app.path,
      env: { NODE_OPTIONS: `--enable-source-maps --import=${breaks}` },
    });
    assert.equal(status, 1);
    const [, file, line] = /at runKey \(\S*\/(src\/main-key\.ts):(\d+):\d+\)/u.exec(stderr) ?? [];
    assert.ok(file !== undefined, stderr);
    const source = readFileSync(join(root, file), 'utf8').split('\n');
    assert.match(String(source[Number(line) - 1]), /randomBytes\(/u);
    assert.match(stderr, /parseAsync \(\S*\/dist\/\S+\.js:\d+:\d+\)/u);
  });

  it('serves, and ends as told', async () => {
    const models = join(app.path, 'models');
    mkdirSync(models);
    const program = app.write('llama-server', '#!/bin/sh\necho "version: 1 (test)"\n', 0o755);
    const flags = ['--models-dir', models, '--llama-server', program, '--port', '0', '--admin-port', '0'];
    const child = spawn(join(app.path, 'node_modules/.bin/corral'), ['serve', ...flags], {
      cwd: app.path,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    const errors = text(child.stderr);
    try {
      let url = '';
      for await (const line of createInterface({ input: child.stdout })) {
        const entry = JSON.parse(line) as { msg: string; url?: string };
        if (entry.msg === 'listening') url = String(entry.url);
        if (url !== '') break;
      }
      assert.notEqual(url, '', 'it says where it listens');
      const answer = await fetch(`${url}/v1/models`);
      assert.deepEqual([answer.status, await answer.json()], [200, { object: 'list', data: [] }]);
    } finally {
      child.stdout.resume();
      child.kill('SIGTERM');
    }
    assert.deepEqual(await exited, [0, null], await errors);
  });
});
