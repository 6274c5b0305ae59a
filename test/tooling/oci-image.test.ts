import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { NODE_FLAGS } from '../../scripts/bundle.ts';
import { ALLOCATOR_SETTING } from '../../src/platform/allocator.ts';
import { corralImage } from '../../scripts/corral-image.ts';
import { writeOciImage } from '../../scripts/oci-image.ts';
import type { ImageContent } from '../../scripts/oci-image.ts';
import { runCommand } from './support/run-command.ts';
import { makeTempTree } from './support/temp-tree.ts';
import type { TempTree } from './support/temp-tree.ts';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

describe('an image', () => {
  let tree: TempTree;
  beforeEach(() => {
    tree = makeTempTree();
  });
  afterEach(() => {
    tree.remove();
  });

  const deep = `/app/${'a-folder-with-a-long-name/'.repeat(5)}file`;
  const content = (): ImageContent => ({
    files: new Map([
      ['/usr/bin/tool', { from: tree.write('tool', '#!/bin/sh\n'), mode: 0o755 }],
      ['/etc/passwd', { text: 'nobody\n' }],
      ['/bin/sh', { linkTo: '../usr/bin/tool' }],
      [deep, { text: 'deep' }],
    ]),
    folders: new Map([['/tmp', 0o1777]]),
    config: { Entrypoint: ['/usr/bin/tool'], User: '65532' },
  });
  const write = (name: string, image = content()): string => {
    const path = join(tree.path, name);
    writeOciImage(path, 'corral.test/tool:v2', image);
    return path;
  };
  const unpack = (archive: string, folder: string): string => {
    mkdirSync(join(tree.path, folder));
    const { status, stderr } = runCommand('tar', ['-xpf', archive, '-C', join(tree.path, folder)], { cwd: tree.path });
    assert.deepEqual([status, stderr], [0, '']);
    return join(tree.path, folder);
  };
  const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

  it('names each of its parts by the digest and size that it has', () => {
    const folder = unpack(write('image.tar'), 'image');
    const read = ({ digest, size }: Descriptor): Buffer => {
      const bytes = readFileSync(join(folder, 'blobs', digest.replace(':', '/')));
      assert.deepEqual([`sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes.length], [digest, size]);
      return bytes;
    };
    const index = json(join(folder, 'index.json')) as {
      readonly manifests: readonly [Descriptor & { readonly annotations: Readonly<NodeJS.Dict<string>> }];
    };
    assert.equal(index.manifests[0].annotations['io.containerd.image.name'], 'corral.test/tool:v2');
    const manifest = JSON.parse(read(index.manifests[0]).toString()) as {
      readonly config: Descriptor;
      readonly layers: readonly [Descriptor];
    };
    const config = JSON.parse(read(manifest.config).toString()) as {
      readonly config: object;
      readonly rootfs: { readonly diff_ids: readonly string[] };
    };
    assert.deepEqual(config.config, content().config);
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
    read(manifest.layers[0]);
  });

  it('holds files, links and folders with their permissions, under long names too', () => {
    const folder = unpack(write('image.tar'), 'image');
    const [docker] = json(join(folder, 'manifest.json')) as readonly [{ readonly Layers: readonly [string] }];
    const archive = join(folder, docker.Layers[0]);
    const { stdout } = runCommand('tar', ['-tf', archive], { cwd: tree.path });
    assert.ok(stdout.indexOf('usr/bin/\n') < stdout.indexOf('usr/bin/tool\n'), 'a folder comes before what is in it');
    const layer = unpack(archive, 'layer');
    assert.equal(readFileSync(join(layer, 'usr/bin/tool'), 'utf8'), '#!/bin/sh\n');
    assert.equal(statSync(join(layer, 'usr/bin/tool')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(layer, 'etc/passwd')).mode & 0o7777, 0o644);
    assert.equal(statSync(join(layer, 'tmp')).mode & 0o7777, 0o1777);
    assert.equal(readlinkSync(join(layer, 'bin/sh')), '../usr/bin/tool');
    assert.equal(readFileSync(join(layer, deep), 'utf8'), 'deep');
  });

  it('has the same bytes each time', () => {
    assert.deepEqual(readFileSync(write('one.tar')), readFileSync(write('two.tar')));
  });

  it('is not written when it holds a name that no archive can have, and nothing is left of it', () => {
    const files = new Map([[`/${'x'.repeat(300)}`, { text: '' }]]);
    assert.throws(() => write('image.tar', { files, config: {} }), /too long a name/u);
    assert.throws(() => write('image.tar', { files: new Map([['/a', { from: '/nowhere' }]]), config: {} }), /ENOENT/u);
    assert.equal(runCommand('ls', [tree.path], { cwd: tree.path }).stdout, '');
  });

  it('of Corral has the program, Node and the licences, no packages and no sources, and runs as nobody', () => {
    const { files, config } = corralImage();
    const expected = ['/usr/local/bin/node', '/app/dist/main.js', '/app/dist/THIRD-PARTY-NOTICES.txt', '/app/LICENSE'];
    assert.deepEqual(
      expected.filter((path) => !files.has(path)),
      [],
    );
    assert.deepEqual(
      [...files.keys()].filter((path) => /node_modules|^\/app\/(?:src|test)\/|\.ts$/u.test(path)),
      [],
    );
    assert.equal(config['User'], '65532:65532');
    assert.deepEqual(config['Entrypoint'], ['/usr/local/bin/node', ...NODE_FLAGS, '/app/dist/main.js']);
    assert.deepEqual(config['Env'], ['PATH=/usr/local/bin', 'NODE_ENV=production', ALLOCATOR_SETTING.join('=')]);
  });

  it('of Corral runs with what is in it', () => {
    for (const [path, file] of corralImage().files) {
      if (!path.startsWith('/app/')) continue;
      if ('text' in file) tree.write(path.slice(1), file.text);
      if ('from' in file) tree.write(path.slice(1), readFileSync(file.from, 'utf8'));
    }
    const args = [...NODE_FLAGS, join(tree.path, 'app/dist/main.js'), 'edge', '--help'];
    const { status, stdout, stderr } = runCommand(process.execPath, args, { cwd: '/' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /Usage: corral edge/u);
  });
});
