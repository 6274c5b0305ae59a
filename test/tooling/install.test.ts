import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { signal, untilGone } from '../../src/backend/local/process-table.ts';
import { runCommand } from './support/run-command.ts';
import { makeTempTree } from './support/temp-tree.ts';
import type { Outcome } from './support/run-command.ts';
import type { TempTree } from './support/temp-tree.ts';

/** Does what matters here of `npm ci`: notes its arguments and leaves its own lock file behind. */
const fakeNpm = `#!/bin/sh
echo "$@" >>npm-calls
echo "npm says something"
[ ! -e npm-fails ] || exit 1
rm -rf node_modules && mkdir node_modules && echo '{}' >node_modules/.package-lock.json
`;

describe('scripts/install.sh', () => {
  let tree: TempTree;
  beforeEach(() => {
    tree = makeTempTree();
    tree.copy('bin', 'scripts/install.sh', 'scripts/start.sh', 'scripts/test.sh', 'scripts/node.sh');
    tree.write('package-lock.json', 'lock 1');
    tree.write('fake/npm', fakeNpm, 0o755);
  });
  afterEach(() => {
    tree.remove();
  });

  const run = (script = 'scripts/install.sh', ...args: readonly string[]): Outcome =>
    runCommand(join(tree.path, script), args, {
      cwd: '/',
      env: { PATH: `${join(tree.path, 'fake')}:/usr/bin:/bin` },
    });
  const calls = (): number => {
    const log = join(tree.path, 'npm-calls');
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0;
  };
  const setLockTime = (time: Date): void => {
    utimesSync(join(tree.path, 'package-lock.json'), time, time);
  };

  it('installs where nothing is installed, with what the tests need, and keeps stdout clean', () => {
    const { status, stdout, stderr } = run();
    assert.equal(status, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /npm ci[^]*npm says something/);
    assert.match(readFileSync(join(tree.path, 'npm-calls'), 'utf8'), /^ci --ignore-scripts --include=dev /);
  });

  it('does nothing when all is installed', () => {
    run();
    const second = run();
    assert.deepEqual([second.status, second.stderr, calls()], [0, '', 1]);
  });

  it('installs again when package-lock.json has another content', () => {
    run();
    tree.write('package-lock.json', 'lock 2');
    run();
    assert.equal(calls(), 2);
  });

  it('does not install again when package-lock.json only has a newer time', () => {
    run();
    setLockTime(new Date(Date.now() + 60_000));
    run();
    assert.equal(calls(), 1);
  });

  it('accepts what a plain npm ci has installed, unless package-lock.json is newer', () => {
    tree.write('node_modules/.package-lock.json', '{}');
    setLockTime(new Date(Date.now() - 60_000));
    run();
    assert.equal(calls(), 0);
    setLockTime(new Date(Date.now() + 60_000));
    run();
    assert.equal(calls(), 1);
  });

  it('fails when npm fails, and tries again the next time', () => {
    tree.write('npm-fails', '');
    assert.equal(run().status, 1);
    assert.equal(run().status, 1);
    assert.equal(calls(), 2);
  });

  it('says in one line that npm is missing', () => {
    rmSync(join(tree.path, 'fake/npm'));
    tree.write('tools/sh', '#!/bin/sh\nexec /bin/sh "$@"\n', 0o755);
    tree.write('tools/dirname', '#!/bin/sh\nPATH=/usr/bin:/bin exec dirname "$@"\n', 0o755);
    const env = { PATH: join(tree.path, 'tools') };
    const { status, stderr } = runCommand(join(tree.path, 'scripts/install.sh'), [], { cwd: '/', env });
    assert.equal(status, 2);
    assert.match(stderr, /^corral: npm is missing: [^\n]*\n$/);
  });

  it('comes first in npm start, which then serves with the arguments it was given', () => {
    tree.write('dist/main.js', '');
    tree.write('fake/node', '#!/bin/sh\n[ "$1" = --version ] && echo v99.0.0 && exit 0\necho "$@"\n', 0o755);
    const { stdout } = run('scripts/start.sh', '--models-dir', 'my models');
    assert.equal(stdout, `--max-semi-space-size=4 ${tree.path}/dist/main.js serve --models-dir my models\n`);
    assert.equal(calls(), 1);
  });

  it('comes first in npm test, which does not go on when it fails', () => {
    tree.write('npm-fails', '');
    const { status, stdout } = run('scripts/test.sh');
    assert.deepEqual([status, stdout], [1, '']);
  });
});

/** Tells when npm hands signals on: it does so shortly after it has started the script, and is ended by one that comes before. */
const tellsThatNpmListens = `process.on('newListener', (name) => {
  if (name === 'SIGTERM') queueMicrotask(() => console.log('npm listens'));
});`;

it('a signal to npm start reaches Corral, since no shell stays between them', async (t) => {
  const tree = makeTempTree();
  t.after(() => {
    tree.remove();
  });
  tree.copy('package.json');
  tree.write('scripts/start.sh', '#!/bin/sh\necho "pid $$"\nexec tail -f /dev/null\n', 0o755);
  tree.write('listens.cjs', tellsThatNpmListens);
  const env = { ...process.env, NODE_OPTIONS: `--require ${join(tree.path, 'listens.cjs')}` };
  const npm = spawn('npm', ['start', '--silent'], { cwd: tree.path, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(npm, 'exit');
  const lines = on(createInterface(npm.stdout), 'line', { close: ['close'] });
  const both = [await lines.next(), await lines.next()].map(({ value }) => String(value)).sort();
  assert.match(both.join(', '), /^npm listens, pid \d+$/);
  const pid = Number(both[1]?.replace('pid ', ''));
  npm.kill('SIGTERM');
  await exit;
  await untilGone(pid);
  const isLeft = signal(pid, 'SIGKILL');
  assert.ok(!isLeft, 'it goes on without npm');
});
