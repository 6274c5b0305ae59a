import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { itHolds } from './it-holds.ts';
import { readOutput } from './search-model.ts';
import { QUICK_PLANNED } from './searches.ts';

describe('the drain protocol, whatever is planned', () => {
  for (const search of QUICK_PLANNED) itHolds(search);
});

describe('the report of a search', () => {
  const report = (...lines: readonly string[]): string =>
    [...lines, 'State-vector 1 byte, depth reached 12, errors: 0', '  1.5e+06 states, stored (2 visited)'].join('\n');
  it('is of a whole one only if every state was kept, and none was left out', () => {
    const whole = 'Full statespace search for:';
    assert.deepEqual(readOutput(report(whole)), { states: 1_500_000, depth: 12, isWhole: true });
    for (const lines of [
      ['Bit statespace search for:'],
      [whole, 'Warning: Search not completed'],
      [whole, 'error: max search depth too small'],
      [whole, 'pan: reached -DMEMLIM bound'],
    ])
      assert.equal(readOutput(report(...lines)).isWhole, false, lines.join());
    assert.throws(() => readOutput('Segmentation fault'), /no report of a search/u);
  });
});
