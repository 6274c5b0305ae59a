import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerEnds } from './answer-ends.ts';

test('however an answer is cut into parts, its ends are the same, and of a short one the tail is all', () => {
  const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(3000), fc.nat(20_000)), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(sizes, fc.boolean(), (parts, shared) => {
      const total = parts.reduce((sum, size) => sum + size, 0);
      const all = Buffer.from(Uint8Array.from({ length: total }, (_value, index) => (index * 7 + (index >> 8)) % 251));
      const ends = new AnswerEnds();
      let at = 0;
      for (const size of parts) {
        const part = all.subarray(at, (at += size));
        ends.pass(shared ? part : Buffer.from(part));
      }
      const { head, tail } = ends;
      const text = all.toString('latin1');
      assert.ok(text.endsWith(tail) && tail.length >= Math.min(total, 4096));
      if (head === undefined) assert.equal(tail, text);
      else assert.equal(head, text.slice(0, 1024));
    }),
    { numRuns: 300 },
  );
});

test('what is kept does not grow with the answer, nor keep a large read alive', () => {
  const ends = new AnswerEnds();
  for (let part = 0; part < 1000; part += 1) ends.pass(Buffer.alloc(64 * 1024, part % 251));
  for (let byte = 0; byte < 1000; byte += 1) ends.pass(Buffer.from('x'));
  assert.ok(ends.tail.length < 2 * 4096, `${ends.tail.length} bytes`);
  assert.ok(ends.tail.endsWith('x'.repeat(1000)));
});
