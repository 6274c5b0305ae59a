import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBuildPercent } from './build-progress.ts';

test("The progress in the lines of make and of ninja is read, other lines' brackets are not.", () => {
  const lines = new Map([
    ['[  0%] Building C object', 0],
    ['[ 12%] Building CXX object', 12],
    ['[100%] Linking', 100],
    ['[3/45] Building', 6],
    ['[45/45] Linking', 100],
    ['[0/0] nothing', undefined],
    ['  [ 12%] indented', undefined],
    ['[12] a note', undefined],
    ['src/x.cpp:1: warning: [3/4]', undefined],
    ['', undefined],
  ]);
  for (const [line, percent] of lines) assert.equal(parseBuildPercent(line), percent, line);
});

test('No line gives anything but a whole number from 0 to 100.', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\[[ 0-9]{0,4}[%/]?[0-9]{0,4}\]/), (line) => {
      const percent = parseBuildPercent(line);
      assert.ok(percent === undefined || (Number.isInteger(percent) && percent >= 0 && percent <= 100), line);
    }),
  );
});
