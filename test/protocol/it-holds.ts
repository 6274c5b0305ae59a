import assert from 'node:assert/strict';
import { it } from 'node:test';
import { searchModel } from './search-model.ts';
import type { NamedSearch } from './searches.ts';

/** Fewer states than this, and most of what can happen was left out. */
const FEWEST_STATES = 50_000;

/** One test: the whole search, and nothing that is wrong. */
export function itHolds(search: NamedSearch): void {
  void it(`holds ${search.title}`, async (t) => {
    const { broken, steps, isWhole, states, depth } = await searchModel(search);
    assert.equal(broken, undefined, steps.join('\n'));
    assert.ok(isWhole, 'the search was cut off');
    assert.ok(states > FEWEST_STATES, `only ${states} states`);
    t.diagnostic(`${states} states, ${depth} steps deep`);
  });
}
