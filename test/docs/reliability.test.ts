import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeIn, readText, root, rowsOf, sectionOf } from './support/markdown.ts';

const page = readText('docs/reliability.md');
const codes = [...codeIn(page)];

/** What `npm run bench` or `npm run prove` lists. */
function namesOf(command: string): readonly string[] {
  const listed = execFileSync(process.execPath, [join(root, 'scripts', `${command}.ts`)], { encoding: 'utf8' });
  return [...listed.matchAll(/^ {2}([a-z][a-z-]*) /gmu)].map(([, name = '']) => name);
}

const numbered = (letter: string, first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`);

describe('docs/reliability.md', () => {
  it('has each row once, and each says how it is shown or that it is open', () => {
    const rows = ['What goes wrong with the operator', 'What goes wrong while models make room']
      .flatMap((title) => rowsOf(sectionOf(page, title)))
      .filter(([, , , shown]) => shown !== undefined);
    assert.deepEqual(
      rows.map(([row]) => row),
      [...numbered('O', 1, 25), ...numbered('P', 10, 14), ...numbered('Z', 1, 12)],
    );
    const silent = rows.filter(([, , , shown = '']) => !/`[^`]+\.test\.ts`|`npm run |Open: \S/u.test(shown));
    assert.deepEqual(silent, []);
  });

  it('has each rule of the observer, as the observer names it', () => {
    const rules = rowsOf(sectionOf(page, 'Who watches')).map(([rule = '']) => rule.split(' ')[0]);
    assert.deepEqual(
      rules,
      Array.from({ length: 11 }, (_, index) => `S${index}`),
    );
  });

  it('names files that exist', () => {
    const files = codes.filter((code) => /^[\w./-]+\.ts$/u.test(code));
    assert.ok(files.length > 20);
    assert.deepEqual(
      files.filter((file) => !existsSync(join(root, file))),
      [],
    );
  });

  it('names runs that exist', () => {
    const runs = codes.flatMap((code) => [...code.matchAll(/^npm run (bench|prove) -- ([a-z-]+)/gu)]);
    assert.ok(runs.length > 0);
    const unknown = runs.filter(([, command = '', name = '']) => !namesOf(command).includes(name));
    assert.deepEqual(
      unknown.map(([code]) => code),
      [],
    );
  });
});
