import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogRing } from './log-ring.ts';

function ringOf(...chunks: readonly (string | Buffer)[]): ReturnType<typeof createLogRing> {
  const ring = createLogRing(3, 5);
  for (const chunk of chunks) ring.write(Buffer.from(chunk));
  return ring;
}

describe('the log ring', () => {
  it('joins lines that come in pieces', () => {
    assert.deepEqual(ringOf('a', 'b\nc', 'd\r\ne').tail(9), ['ab', 'cd', 'e']);
  });
  it('keeps the last lines, and of each the beginning', () => {
    assert.deepEqual(ringOf('1\n2\n3\n4\n123456789\n').tail(9), ['3', '4', '12345']);
    assert.deepEqual(ringOf('x'.repeat(100), 'y').tail(9), ['xxxxx']);
  });
  it('gives no more than was asked for, and no blank lines', () => {
    assert.deepEqual(ringOf('1\n\n2\n').tail(1), ['2']);
    assert.deepEqual(ringOf('1\n\n').tail(9), ['1']);
  });
  it("leaves out an option's usage, which would hide the error before it", () => {
    const ring = createLogRing(20, 80);
    const usage = 'usage:\n-c N    size\n\nto show complete usage, run with -h\n';
    ring.write(Buffer.from(`a bad -c\n\n${usage}last\n`));
    assert.deepEqual(ring.tail(9), ['a bad -c', 'last']);
  });
  it('keeps a usage that does not end', () => {
    const ring = createLogRing(20, 80);
    ring.write(Buffer.from('x\nusage:\ny\n'));
    assert.deepEqual(ring.tail(9), ['x', 'usage:', 'y']);
  });
  it('does not break characters that come in two pieces', () => {
    const euro = Buffer.from('€\n');
    assert.deepEqual(ringOf(euro.subarray(0, 1), euro.subarray(1)).tail(9), ['€']);
  });
});
