import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand } from './support/run-command.ts';
import { makeTempTree, root } from './support/temp-tree.ts';
import type { Outcome } from './support/run-command.ts';

const maxPackages = 150;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** What the package is made of. Packed from a copy: a dist in the real tree would shadow src for everybody else. */
const ingredients = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
  'bin',
  'src',
];

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
    checkout.copy(...ingredients, 'scripts/node.sh');
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

  it('holds the compiled program without its tests and sources', () => {
    const files = packed?.files.map(({ path }) => path) ?? [];
    assert.ok(files.includes('dist/main.js'), files.join('\n'));
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

  it(`installs at most ${maxPackages} packages`, () => {
    const lock = readFileSync(join(app.path, 'node_modules/.package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: object };
    const count = Object.keys(packages).length;
    assert.ok(count >= 2 && count <= maxPackages, `${count} packages`);
  });
});
