import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERROR_CODES } from '../../src/edge/error-codes.ts';
import { CONDITIONS, EVENTS, FAILURES, LEAVINGS, REFUSALS, TROUBLES, WAITS } from '../../src/operator/reasons.ts';
import { renderReasons } from '../../src/operator/render-reasons.ts';
import { codeIn, readText, rowsOf, sectionOf } from './support/markdown.ts';
import { sorted } from './support/reference.ts';

const document = readText('docs/reasons.md');

const LISTS = [
  ['It has failed', FAILURES],
  ['It does not get on', TROUBLES],
  ['It waits', WAITS],
  ['It is not run as it is declared', REFUSALS],
  ['It leaves', LEAVINGS],
  ['Conditions', CONDITIONS],
  ['Events', EVENTS],
] as const;

describe('docs/reasons.md', () => {
  it('is what the table of reasons says', () => {
    assert.equal(document, renderReasons());
  });

  it('has each reason in its list, with what it means, and no other', () => {
    for (const [title, reasons] of LISTS) {
      const rows = rowsOf(sectionOf(document, title));
      const documented = rows.map(([reason = '']) => reason.replaceAll('`', ''));
      assert.deepEqual(sorted(documented), sorted(Object.keys(reasons)), title);
      for (const [reason = '', means = ''] of rows) assert.ok(means.length > 10, reason);
    }
  });

  it('says what to do about each thing that is wrong', () => {
    for (const [title, reasons] of LISTS.slice(0, 4)) {
      for (const [reason, explained] of Object.entries(reasons))
        assert.ok('remedy' in explained, `${title}: ${reason}`);
    }
  });

  it('names errors that there are', () => {
    const codes = new Set<string>(ERROR_CODES.map(({ code }) => code));
    const named = LISTS.flatMap(([title]) => {
      const section = sectionOf(document, title);
      const [, common] = /The error is `([a-z_]+)`/u.exec(section) ?? [];
      const own = rowsOf(section).flatMap(([, , , error = '']) => [...codeIn(error)]);
      return [...(common === undefined ? [] : [common]), ...own];
    });
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((code) => !codes.has(code)),
      [],
    );
  });
});
