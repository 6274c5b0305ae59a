import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { decodeKeys } from '../api/decode-keys.ts';
import { withKeyOptions, type KeyFlags } from './key-options.ts';
import { KEY_BYTES, makeKey } from './make-key.ts';

const RANDOM = Buffer.alloc(KEY_BYTES, 0xfb);

function flagsOf(...argv: string[]): KeyFlags {
  const command = withKeyOptions(new Command('key').exitOverride().configureOutput({ writeErr: () => undefined }));
  command.parse(argv, { from: 'user' });
  return command.opts();
}

describe('corral key', () => {
  it('makes a key that is as long as it must be, and an entry that a keys file takes', () => {
    const { key, entry } = makeKey(flagsOf('--id', 'ci'), RANDOM);
    assert.match(key, /^corral_[\w-]{43}$/u);
    assert.ok(!entry.includes(key.slice(7, 20)), 'the key is in the file');
    const decoded = decodeKeys({ file: 'keys.yaml', text: `keys:\n${entry}` });
    assert.ok(decoded.ok);
    assert.deepEqual(
      decoded.keys.map((one) => one.key),
      [{ id: 'ci', sha256: hash('sha256', key), models: ['*'], operations: ['infer'], maxInFlight: undefined }],
    );
  });

  it('writes the rights that it is told, whatever they are made of', () => {
    const flags = flagsOf(
      '--id',
      '007',
      '--models',
      '*,a: b,[x]',
      '--operations',
      'models:manage,infer',
      '--max-in-flight',
      '3',
    );
    const { entry } = makeKey(flags, RANDOM);
    const decoded = decodeKeys({
      file: 'keys.yaml',
      text: `keys:\n${entry}${makeKey(flagsOf('--id', 'b'), Buffer.alloc(KEY_BYTES)).entry}`,
    });
    assert.ok(decoded.ok, JSON.stringify(decoded));
    const { id, models, operations, maxInFlight } = decoded.keys[0]?.key ?? assert.fail();
    assert.deepEqual(
      { id, models, operations, maxInFlight },
      { id: '007', models: ['*', 'a: b', '[x]'], operations: ['infer', 'models:manage'], maxInFlight: 3 },
    );
  });

  for (const argv of [
    [],
    ['--id', ''],
    ['--id', 'a b'],
    ['--id', 'a/b'],
    ['--id', 'a', '--models', ''],
    ['--id', 'a', '--models', 'a,,b'],
    ['--id', 'a', '--operations', 'admin'],
    ['--id', 'a', '--operations', 'infer,'],
    ['--id', 'a', '--max-in-flight', '0'],
    ['--id', 'a', '--max-in-flight', 'many'],
    ['--id', 'a', 'b'],
  ]) {
    it(`refuses ${JSON.stringify(argv)}`, () => {
      assert.throws(() => flagsOf(...argv), CommanderError);
    });
  }
});
