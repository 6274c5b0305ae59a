import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../testing/seed.ts';
import { fitsPattern } from './name-pattern.ts';

const ROWS: readonly (readonly [string, string, boolean])[] = [
  ['a', 'a', true],
  ['a', 'b', false],
  ['a', 'A', false],
  ['ab', 'a', false],
  ['', '', true],
  ['', '*', true],
  ['a', '', false],
  ['Qwen/Qwen3-8B-GGUF:Q4_K_M', '*', true],
  ['Qwen/Qwen3-8B-GGUF:Q4_K_M', 'Qwen/*', true],
  ['Qwen/Qwen3-8B-GGUF:Q4_K_M', '*:Q4_K_M', true],
  ['Qwen/Qwen3-8B-GGUF:Q4_K_M', 'qwen/*', false],
  ['Qwen/Qwen3-8B-GGUF:Q4_K_M', 'Qwen/*:Q8_0', false],
  ['a.b', 'a?b', true],
  ['aXb', 'a.b', false],
  ['a', 'a?', false],
  ['😀', '?', true],
  ['abcabd', '*ab?', true],
  ['team-a/x', 'team-?/*', true],
  ['[a]', '[a]', true],
  ['a', '[a]', false],
];

/** Every way to read a pattern, one character after the other: slow and plain. */
function fitsPlainly(name: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '*') {
    return fitsPlainly(name, rest) || (name.length > 0 && fitsPlainly(name.slice(1), pattern));
  }
  return name.length > 0 && (first === '?' || first === name[0]) && fitsPlainly(name.slice(1), rest);
}

describe('a pattern of model names', () => {
  for (const [name, pattern, fits] of ROWS) {
    it(`${pattern} ${fits ? 'takes' : 'does not take'} ${name}`, () => {
      assert.equal(fitsPattern(name, pattern), fits);
    });
  }

  it('means what its stars and question marks mean, whatever they stand beside', () => {
    const word = (...letters: string[]) => fc.array(fc.constantFrom(...letters), { maxLength: 8 });
    fc.assert(
      fc.property(word('a', 'b'), word('a', 'b', '*', '?'), (name, pattern) => {
        assert.equal(fitsPattern(name.join(''), pattern.join('')), fitsPlainly(name, pattern));
      }),
      { seed: testSeed() },
    );
  });

  it('is answered in no time where a backtracking one would take years', () => {
    assert.equal(fitsPattern('a'.repeat(256), '*a'.repeat(100) + 'b'), false);
  });
});
