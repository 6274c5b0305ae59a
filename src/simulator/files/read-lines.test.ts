import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readLines } from './read-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'corral-lines-'));
after(() => {
  rmSync(folder, { recursive: true });
});

async function linesOf(text: string): Promise<string[]> {
  const file = join(folder, 'lines.csv');
  writeFileSync(file, text);
  const lines: string[] = [];
  for await (const batch of readLines(file)) lines.push(...batch);
  return lines;
}

describe('the lines of a file', () => {
  it('are without their ends and without a byte order mark', async () => {
    assert.deepEqual(await linesOf('\uFEFFa,b\r\nc\n\nd\r\n'), ['a,b', 'c', '', 'd']);
    assert.deepEqual(await linesOf('a\nb'), ['a', 'b']);
    assert.deepEqual(await linesOf(''), []);
  });
  it('are whole where a file is read in several parts, whatever the parts cut through', async () => {
    const lines = Array.from({ length: 200_001 }, (_, index) => `${index},größer`);
    assert.deepEqual(await linesOf(lines.join('\r\n')), lines);
  });
});
