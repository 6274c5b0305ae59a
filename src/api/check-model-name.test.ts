import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNameFault } from './check-model-name.ts';

test('names of models may hold what repositories and people put into them', () => {
  for (const name of ['a', 'Qwen/Qwen3-8B-GGUF:Q4_K_M', '__proto__', 'constructor', 'mit Umlaut ä', 'x'.repeat(256)]) {
    assert.equal(findNameFault(name), undefined, name);
  }
});

test('names that no client could send or that llama-server would change are refused', () => {
  const cases = ['', ' a', 'a ', 'a\nb', 'a\0', 'x'.repeat(257), 'ä'.repeat(129), '\ud800', 'a,b', '\u00a0a'];
  for (const name of cases) assert.notEqual(findNameFault(name), undefined, JSON.stringify(name));
});
