import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LLAMA_OPTIONS } from './llama-options.generated.ts';
import { type ArgItem, findOption, mergeArgs, namesModel, renderArgs, splitValues } from './llama-options.ts';
import type { LlamaOption } from './parse-llama-help.ts';

function option(name: string): LlamaOption {
  const found = findOption(name);
  assert.ok(found !== undefined, name);
  return found.option;
}

const flag = (name: string, on: boolean): ArgItem => ({ kind: 'flag', option: option(name), on });
const values = (name: string, ...given: string[]): ArgItem => ({ kind: 'values', option: option(name), values: given });

const anyItem: fc.Arbitrary<ArgItem> = fc.constantFrom(...LLAMA_OPTIONS).chain((of): fc.Arbitrary<ArgItem> =>
  of.values === 0
    ? fc.boolean().map((on) => ({ kind: 'flag', option: of, on }))
    : fc.array(fc.string(), { minLength: of.values, maxLength: of.values }).map((given) => ({
        kind: 'values',
        option: of,
        values: given,
      })),
);
const layer = fc.array(anyItem, { maxLength: 8 });

test('an option is found by every spelling', () => {
  const spellings = ['-c', '--ctx-size', '--ctx_size', 'c', 'ctx-size', 'LLAMA_ARG_CTX_SIZE'];
  for (const spelling of spellings) assert.equal(findOption(spelling)?.option, option('--ctx-size'), spelling);
});

test('a spelling that switches an option off says so', () => {
  for (const spelling of ['--no-jinja', 'no-jinja', 'LLAMA_ARG_NO_JINJA']) {
    const found = findOption(spelling);
    assert.deepEqual([found?.option, found?.negated], [option('--jinja'), true], spelling);
  }
  assert.deepEqual([findOption('--no-host')?.negated, findOption('LLAMA_ARG_NO_HOST')?.negated], [false, false]);
});

test('what is no option is undefined, whatever an object would inherit', () => {
  for (const name of ['', '-', '--', '__proto__', 'constructor', '--CTX-SIZE', 'ctx_size', '--frobnicate']) {
    assert.equal(findOption(name), undefined, name);
  }
});

test('every option has a long spelling by which it is rendered', () => {
  for (const { names, negatives } of LLAMA_OPTIONS) {
    for (const last of [...names.slice(-1), ...negatives.slice(-1)]) assert.match(last, /^--/u);
  }
});

test('arguments are rendered by their long spelling, with all values', () => {
  const items = [values('-c', '8192'), flag('-kvo', false), values('--control-vector-layer-range', '1', '9')];
  assert.deepEqual(renderArgs(items), [
    '--ctx-size',
    '8192',
    '--no-kv-offload',
    '--control-vector-layer-range',
    '1',
    '9',
  ]);
});

test('a flag that is off and cannot be switched off is left out', () => {
  assert.deepEqual(renderArgs([flag('--swa-full', false)]), []);
});

test('an item replaces inherited ones of the same option, whatever their spelling, and a negative its positive', () => {
  const merged = mergeArgs(
    [values('--ctx-size', '1'), flag('--jinja', true), values('-b', '2')],
    [flag('--no-jinja', false), values('-c', '3')],
  );
  assert.deepEqual(renderArgs(merged), ['--batch-size', '2', '--no-jinja', '--ctx-size', '3']);
});

test('items of one layer stand beside each other', () => {
  const merged = mergeArgs([values('--lora', 'x')], [values('--lora', 'a'), values('--lora', 'b')]);
  assert.deepEqual(renderArgs(merged), ['--lora', 'a', '--lora', 'b']);
});

test('a layer that names a model forgets the inherited one, however that was named', () => {
  const merged = mergeArgs([values('-hf', 'a/b'), values('-hff', 'f')], [values('-m', 'x.gguf')]);
  assert.deepEqual(renderArgs(merged), ['--model', 'x.gguf']);
  const refined = mergeArgs([values('-hf', 'a/b')], [values('-hff', 'f')]);
  assert.deepEqual(renderArgs(refined), ['--hf-repo', 'a/b', '--hf-file', 'f']);
  assert.deepEqual(refined.map(namesModel), [true, false]);
});

test('merging is idempotent, associative, and keeps the strongest layer whole', () => {
  fc.assert(
    fc.property(layer, layer, layer, (low, middle, high) => {
      const all = mergeArgs(low, middle, high);
      assert.deepEqual(mergeArgs(all, all), all);
      assert.deepEqual(mergeArgs(all), all);
      assert.deepEqual(mergeArgs(mergeArgs(low, middle), high), all);
      assert.deepEqual(all.slice(all.length - high.length), high);
    }),
  );
});

test('the one text of a two-value option is split at its blank', () => {
  assert.deepEqual(splitValues(option('--control-vector-layer-range'), ' 1  9 '), ['1', '9']);
  assert.equal(splitValues(option('--control-vector-layer-range'), '1'), undefined);
  assert.deepEqual(splitValues(option('--grammar'), 'a b'), ['a b']);
  assert.equal(splitValues(option('--jinja'), 'x'), undefined);
});
