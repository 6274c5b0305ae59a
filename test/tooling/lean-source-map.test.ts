import assert from 'node:assert/strict';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { describe, it } from 'node:test';
import { encode } from '@jridgewell/sourcemap-codec';
import { leanSourceMap } from '../../scripts/lean-source-map.ts';

/** Two lines of ours, one of a package, one of ours again. */
const sources = ['../src/a.ts', '../node_modules/undici/index.js'];
const mappings = encode([
  [
    [0, 0, 4, 0],
    [6, 0, 4, 9],
    [9, 0, 5, 2],
  ],
  [[0, 1, 70, 0], [8, 1, 70, 3]], // prettier-ignore
  [[2, 1, 71, 0]],
  [[0, 0, 9, 0]],
]);
const whole = JSON.stringify({ version: 3, sources, sourcesContent: ['', ''], names: ['x'], mappings });
/** Where Node takes a place to come from, lines and columns counted from 0. */
function originIn(map: string, line: number, column: number): unknown {
  const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(line, column);
  if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return undefined;
  return [entry.originalSource, entry.originalLine];
}

describe('a lean source map', () => {
  const lean = String(leanSourceMap(whole));

  it('tells the lines of our own sources, as the whole map does', () => {
    assert.deepEqual(originIn(lean, 0, 7), ['../src/a.ts', 4]);
    assert.deepEqual(originIn(lean, 0, 12), ['../src/a.ts', 5]);
    assert.deepEqual(originIn(lean, 3, 3), ['../src/a.ts', 9]);
  });

  it('takes no line of a package for one of the source before it', () => {
    for (const line of [1, 2]) assert.equal(originIn(lean, line, 9), undefined);
  });

  it('is none for packages alone', () => {
    const packages = { version: 3, sources: [sources[1]], names: [], mappings: encode([[[0, 0, 1, 0]]]) };
    assert.equal(leanSourceMap(JSON.stringify(packages)), undefined);
  });

  it('is not made of something else', () => {
    assert.throws(() => leanSourceMap('{"version":2}'));
  });
});
