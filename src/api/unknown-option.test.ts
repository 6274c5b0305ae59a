import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LLAMA_OPTIONS } from './llama-options.generated.ts';
import { OPTION_KEYS, OPTION_NAMES, findOption } from './llama-options.ts';
import { fixUnknown } from './unknown-option.ts';

const OLD = [
  ['--mmap', 'mmap'],
  ['--no-mmap', 'none'],
  ['--no_mmap', 'none'],
  ['no-mmap', 'none'],
  ['--mlock', 'mmap+mlock'],
  ['--direct-io', 'dio'],
  ['-dio', 'dio'],
  ['--no-direct-io', 'auto'],
  ['-ndio', 'auto'],
] as const;

for (const [name, mode] of OLD) {
  test(`${name} is told its successor, and not what looks like it`, () => {
    assert.equal(findOption(name), undefined);
    assert.equal(
      fixUnknown(name, [...OPTION_NAMES, ...OPTION_KEYS], 'env'),
      `llama-server v0.5.0 has --load-mode instead: set it to ${mode}. If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in env.`,
    );
  });
}

test('the successor is an option that takes a value', () => {
  assert.equal(LLAMA_OPTIONS.find(({ names }) => names.includes('--load-mode'))?.values, 1);
});
