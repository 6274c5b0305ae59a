import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from './support/temp-tree.ts';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Record<string, LockedPackage> };
const manifest = JSON.parse(read('package.json')) as {
  readonly dependencies?: object;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly engines: { readonly node: string };
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

describe('package-lock.json', () => {
  it('has an integrity for each package', () => {
    assert.ok(locked.length > 50);
    const without = locked.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true);
    assert.deepEqual(
      without.map(([path]) => path),
      [],
    );
  });

  it('has no package with an installation script but esbuild, for development, which works without running it', () => {
    const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    assert.deepEqual(
      scripted.map(([path, { dev }]) => [path, dev]),
      [['node_modules/esbuild', true]],
    );
    assert.match(read('scripts/install.sh'), /^npm ci --ignore-scripts /m);
  });

  it('has an esbuild for each platform that Corral runs on', () => {
    const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
    const missing = platforms.filter((platform) => lock.packages[`node_modules/@esbuild/${platform}`] === undefined);
    assert.deepEqual(missing, []);
  });

  it('names no registry, so that everyone installs from their own', () => {
    assert.deepEqual(
      locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
      [],
    );
    assert.match(read('.npmrc'), /^omit-lockfile-registry-resolved=true$/m);
  });
});

describe('package.json', () => {
  it('pins every dependency to one version', () => {
    const all = { ...manifest.devDependencies, ...manifest.optionalDependencies };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    assert.deepEqual(loose, []);
  });

  it('brings one version of Node for all platforms', () => {
    const nodes = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith('node-'));
    assert.equal(nodes.length, 4);
    assert.equal(new Set(nodes.map(([, version]) => version)).size, 1);
  });

  it('asks for the same Node as the launcher', () => {
    const required = /^required_node=(\S+)$/m.exec(read('bin/find-node.sh'))?.[1];
    assert.equal(manifest.engines.node, `>=${required}`);
  });

  it('has users install nothing but Node: all that the program needs is part of it', () => {
    assert.equal(manifest.dependencies, undefined);
    const others = Object.keys(manifest.optionalDependencies).filter(
      (name) => !/^node-(?:bin-)?(?:linux|darwin)-/.test(name),
    );
    assert.deepEqual(others, []);
  });

  it('has a reason for each optional dependency in docs/decisions', () => {
    const reasons = read('docs/decisions/0002-dependencies.md');
    const without = Object.keys(manifest.optionalDependencies).filter((name) => !reasons.includes(`\n| \`${name}\` |`));
    assert.deepEqual(without, []);
  });
});
