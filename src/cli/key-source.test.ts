import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { seconds } from '../domain/units.ts';
import type { KeyRing } from '../edge/key-ring.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import type { AccessFlags } from './access-options.ts';
import { followKeys, openKeys, warnOfOpenDoor } from './key-source.ts';

const POLL = seconds(1);

const fileWith = (...keys: string[]): string =>
  `keys:\n${keys.map((key) => `- id: id-${key}\n  sha256: "${hash('sha256', key)}"\n`).join('')}`;

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-keys-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Scene {
  readonly ring: KeyRing;
  /** `level: message`, and the problems of it. */
  readonly lines: readonly string[];
  /** Resolves when the files were looked at once more. */
  readonly look: () => Promise<void>;
  readonly timers: ManualTimers;
  readonly end: () => void;
}

async function follow(flags: AccessFlags): Promise<Scene> {
  const keys = await openKeys(flags);
  assert.ok(keys.kind === 'keys', JSON.stringify(keys));
  const timers = new ManualTimers();
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
    };
  const log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  const end = followKeys(keys, { log, wakeIn: timers.wakeIn });
  const look = async (): Promise<void> => {
    timers.advance(POLL);
    await timers.armed(POLL);
  };
  return { ring: keys.ring, lines, look, timers, end };
}

const knows = (ring: KeyRing, ...keys: string[]): boolean[] => keys.map((key) => ring.find(key) !== undefined);

describe('keys in files', () => {
  it('are in force as soon as their file was looked at after it has changed, and others no more', async (t) => {
    const file = join(await folderFor(t), 'keys.yaml');
    await writeFile(file, fileWith('a', 'b'));
    const { ring, lines, look } = await follow({ keysFile: file });
    await look();
    assert.deepEqual(lines, []);
    await writeFile(file, fileWith('b', 'c'));
    assert.deepEqual(knows(ring, 'a', 'b', 'c'), [true, true, false]);
    await look();
    assert.deepEqual(knows(ring, 'a', 'b', 'c'), [false, true, true]);
    assert.deepEqual(lines, ['info: the keys were read again {"keys":2}']);
  });

  it('are seen to change where neither the size nor the time of their file does', async (t) => {
    const file = join(await folderFor(t), 'keys.yaml');
    const then = new Date(1_700_000_000_000);
    await writeFile(file, fileWith('a'));
    await utimes(file, then, then);
    const { ring, look } = await follow({ keysFile: file });
    await writeFile(file, fileWith('b'));
    await utimes(file, then, then);
    await look();
    assert.deepEqual(knows(ring, 'a', 'b'), [false, true]);
  });

  it('are followed through the links of a Secret in a pod, which are turned to another folder at once', async (t) => {
    const folder = await folderFor(t);
    for (const [name, key] of [
      ['..1', 'a'],
      ['..2', 'b'],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'keys.yaml'), fileWith(key));
    }
    await symlink('..1', join(folder, '..data'));
    await symlink('..data/keys.yaml', join(folder, 'keys.yaml'));
    const { ring, look } = await follow({ keysFile: join(folder, 'keys.yaml') });
    assert.deepEqual(knows(ring, 'a', 'b'), [true, false]);
    await symlink('..2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, '..1'), { recursive: true });
    await look();
    assert.deepEqual(knows(ring, 'a', 'b'), [false, true]);
  });

  for (const [what, spoil] of [
    ['is gone', async (file: string) => rm(file)],
    ['is empty', async (file: string) => writeFile(file, '')],
    ['is half written', async (file: string) => writeFile(file, fileWith('a', 'b').slice(0, 60))],
    ['has a key in clear text', async (file: string) => writeFile(file, 'keys:\n- id: a\n  key: secret-of-a\n')],
    ['has become a folder', async (file: string) => rm(file).then(async () => mkdir(file))],
  ] as const) {
    it(`stay in force while their file ${what}, which is said once, until it is right again`, async (t) => {
      const file = join(await folderFor(t), 'keys.yaml');
      await writeFile(file, fileWith('a'));
      const { ring, lines, look } = await follow({ keysFile: file });
      await spoil(file);
      await look();
      await look();
      assert.deepEqual(knows(ring, 'a', ''), [true, false]);
      assert.equal(lines.length, 1);
      assert.match(
        String(lines[0]),
        /^error: the keys are wrong or missing, those from before stay in force .*keys\.yaml/u,
      );
      assert.doesNotMatch(lines.join(), /secret-of-a/u);
      await rm(file, { recursive: true, force: true });
      await writeFile(file, fileWith('a', 'c'));
      await look();
      assert.deepEqual(knows(ring, 'a', 'c'), [true, true]);
      assert.match(String(lines.at(-1)), /^info: the keys were read again/u);
    });
  }

  it('may all be taken out, and then nobody is let in', async (t) => {
    const file = join(await folderFor(t), 'keys.yaml');
    await writeFile(file, fileWith('a'));
    const { ring, look } = await follow({ keysFile: file });
    await writeFile(file, 'keys: []\n');
    await look();
    assert.deepEqual(knows(ring, 'a', ''), [false, false]);
  });

  it("of llama-server's kind are followed too, beside those of the command line, which stay", async (t) => {
    const file = join(await folderFor(t), 'keys.txt');
    await writeFile(file, 'a\nb\n');
    const { ring, lines, look } = await follow({ apiKeyFile: [file], apiKey: ['x,y'] });
    await writeFile(file, '# nobody\n');
    await look();
    assert.deepEqual(knows(ring, 'a', 'x', 'y'), [true, true, true]);
    assert.match(String(lines[0]), /the file holds no key/u);
    await writeFile(file, 'b\n');
    await look();
    assert.deepEqual(knows(ring, 'a', 'b', 'x', 'y'), [false, true, true, true]);
  });

  it('are not looked at any more once nobody asks for them, nor where there is no file', async (t) => {
    const file = join(await folderFor(t), 'keys.yaml');
    await writeFile(file, fileWith('a'));
    const { timers, end } = await follow({ keysFile: file });
    end();
    assert.deepEqual(timers.delays, []);
    assert.deepEqual((await follow({ apiKey: ['x'] })).timers.delays, []);
  });
});

describe('keys at the start', () => {
  it('are none where no flag names any', async () => {
    assert.deepEqual(await openKeys({}), { kind: 'none' });
    assert.deepEqual(await openKeys({ apiKey: [], apiKeyFile: [] }), { kind: 'none' });
  });

  it('are wrong where a file is missing or an option holds no key: the door is not opened for that', async (t) => {
    const folder = await folderFor(t);
    for (const flags of [
      { keysFile: join(folder, 'none') },
      { apiKeyFile: [join(folder, 'none')] },
      { apiKey: [''] },
    ]) {
      const opened = await openKeys(flags);
      assert.ok(opened.kind === 'wrong');
      assert.match(opened.problems.join(), /there is no such file|it holds no key/u);
    }
  });
});

describe('a server without keys', () => {
  it('says so, if others than this machine reach it', async () => {
    const keys = await openKeys({ apiKey: ['x'] });
    assert.ok(keys.kind === 'keys');
    for (const [address, family, isTold] of [
      ['0.0.0.0', 'IPv4', true],
      ['::', 'IPv6', true],
      ['192.0.2.1', 'IPv4', true],
      ['::ffff:192.0.2.1', 'IPv6', true],
      ['127.0.0.1', 'IPv4', false],
      ['127.9.9.9', 'IPv4', false],
      ['::1', 'IPv6', false],
      ['::ffff:127.0.0.1', 'IPv6', false],
    ] as const) {
      const server = { address: () => ({ address, family, port: 8080 }) };
      const warnings: string[] = [];
      const warn = (message: string): number => warnings.push(message);
      const log = { warn, error: assert.fail, info: assert.fail, debug: assert.fail };
      warnOfOpenDoor(keys, server, log);
      assert.equal(warnings.length, 0, address);
      warnOfOpenDoor({ kind: 'none' }, server, log);
      assert.equal(warnings.length, isTold ? 1 : 0, address);
    }
  });
});
