import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { putSection, renderProofPage } from '../prove/proof-report.ts';
import type { Series } from '../prove/proof.ts';

const circumstances = {
  name: 'thing',
  summary: 'It holds',
  runs: 3,
  seed: 7,
  date: '2026-01-31',
  machine: '2 cores',
};
const series: Series = { what: 'a try', runs: 3, failures: [], timed: 'a round', timings: [3, 1, 2] };

describe('the page of a proof', () => {
  it('names the command that repeats it, the day and the machine, and has the table', () => {
    const page = renderProofPage(circumstances, [series]);
    assert.match(page, /^# Proof: thing\n\nIt holds\.\n/u);
    assert.match(page, /^npm run prove -- thing --runs 3 --seed 7$/mu);
    assert.match(page, /^2026-01-31, 2 cores\.$/mu);
    assert.match(page, /^\| a try \| +3 \| +0 \| a round \| +2\.0 \| +3\.0 \|\n$/mu);
  });
  it('counts all failures, and writes out the first ten', () => {
    const failures = Array.from({ length: 12 }, (_, index) => `run ${index + 1}:\n\nwrong\n`);
    const page = renderProofPage(circumstances, [{ ...series, failures, timings: [] }]);
    assert.match(page, /^\| a try \| +3 \| +12 \| a round \| +\| +\|$/mu);
    assert.match(page, /^- a try: run 10: wrong$/mu);
    assert.doesNotMatch(page, /run 11/u);
  });
});

describe('a page that several commands have made', () => {
  const put = (page: string | undefined, part: string, more: Partial<Series> = {}): string =>
    putSection(page, { ...circumstances, parts: [part] }, [{ ...series, ...more }]);
  it('has a section of each, with its command', () => {
    const page = put(put(undefined, 'first'), 'second');
    assert.match(page, /^# Proof: thing\n\nIt holds\.\n\n## first\n/u);
    assert.match(page, /\n## second\n\n```sh\nnpm run prove -- thing --runs 3 --seed 7 --part second\n```\n/u);
  });
  it('has the section that was made last in the place of an earlier one of the same parts, and the others as they were', () => {
    const before = put(put(undefined, 'first'), 'second');
    const page = put(before, 'first', { failures: ['wrong'] });
    assert.equal(page.match(/^## /gmu)?.length, 2);
    assert.ok(page.indexOf('wrong') < page.indexOf('## second'));
    assert.equal(put(page, 'first'), before);
  });
});
