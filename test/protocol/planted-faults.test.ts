import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { MODEL, searchModel } from './search-model.ts';
import { PLANTED } from './searches.ts';

describe('a fault planted in the drain protocol is found', () => {
  for (const { name, breaks, ...search } of PLANTED) {
    it(`${name}: ${breaks}`, async () => {
      const { broken, steps } = await searchModel(search);
      assert.equal(broken, breaks, steps.join('\n'));
    });
  }

  it('each that the model has', () => {
    const text = readFileSync(MODEL, 'utf8');
    const namesIn = (pattern: RegExp): Set<string> => new Set([...text.matchAll(pattern)].map(([, name = '']) => name));
    const sizes = namesIn(/^#define ([A-Z_]+)\b/gmu);
    const faults = namesIn(/^#(?:ifn?def |(?:el)?if defined\()([A-Z_]+)\b/gmu).difference(sizes.add('ANY_PLAN'));
    assert.deepEqual([...faults].sort(), PLANTED.map(({ name }) => name).sort());
  });
});
