import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { membersFromEnd, membersFromStart } from './json-ends.ts';

const NAMES = ['usage', 'timings'];

/** Texts that look like what is looked for, and end where strings are hard to tell from what is around them. */
const trickyText = fc
  .array(
    fc.constantFrom('"', '\\', '"usage":{"prompt_tokens":1}', '}', '{', '[', ']', ':', ',', 'é', '\n', 'usage', ' '),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const scalar = fc.oneof(trickyText, fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true }));
const key = fc.oneof(trickyText, fc.constantFrom('usage', 'timings', 'x"usage', 'usage\\', 'choices'));
const counts = fc.dictionary(fc.constantFrom('prompt_tokens', 'completion_tokens', 'a"b'), fc.nat());

/** Any object, deep enough to hold false `usage`s. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    counts,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));
const anObject = fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));

/** The members that are meant, by a parser that has all of the text. */
function truth(text: string): Map<string, unknown> {
  const members = Object.entries(read(text) as object) as [string, unknown][];
  return new Map(
    members.filter(
      ([name, member]) =>
        NAMES.includes(name) && typeof member === 'object' && member !== null && !Array.isArray(member),
    ),
  );
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const read = (text: string): unknown => JSON.parse(Buffer.from(text, 'latin1').toString());

test('of any object, cut anywhere, nothing is found that is not there', () => {
  fc.assert(
    fc.property(anObject, fc.nat(), fc.constantFrom(0, 2), (object, seed, indent) => {
      const text = latin1(JSON.stringify(object, null, indent));
      const cut = seed % (text.length + 1);
      const right = truth(text);
      for (const [found, isAll] of [
        [membersFromEnd(text.slice(cut), NAMES), cut === 0],
        [membersFromStart(text.slice(0, cut), NAMES), cut === text.length],
      ] as const) {
        for (const [name, member] of found) assert.deepEqual(read(member), right.get(name));
        if (isAll) assert.equal(found.size, right.size);
      }
    }),
    { numRuns: 3000 },
  );
});

test('what stands in the tail is found, whatever comes before it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(trickyText, value), { maxLength: 4 }), counts, fc.nat(), (before, usage, seed) => {
      const others = before.filter(([name]) => !NAMES.includes(name));
      const text = latin1(JSON.stringify({ ...Object.fromEntries(others), usage, id: 'x', more: [1, { usage: 2 }] }));
      const needed = text.lastIndexOf('"usage":{') - 1;
      const tail = text.slice(seed % Math.max(1, needed));
      assert.deepEqual(
        [...membersFromEnd(tail, NAMES)].map(([name, member]) => [name, read(member)]),
        [['usage', read(latin1(JSON.stringify(usage)))]],
      );
    }),
    { numRuns: 1000 },
  );
});

test('a quote whose backslashes may have been cut off ends the search', () => {
  const text = '{"x\\"usage":{"prompt_tokens":1}}';
  for (let cut = 0; cut < text.length; cut += 1) {
    assert.equal(membersFromEnd(text.slice(cut), NAMES).size, 0, text.slice(cut));
  }
});

test('of a name that comes twice the last one counts, as for those who parse all of it', () => {
  const text = '{"usage":{"a":1},"usage":{"a":2}}';
  assert.equal(membersFromEnd(text, NAMES).get('usage'), '{"a":2}');
  assert.equal(membersFromStart(text, NAMES).get('usage'), '{"a":2}');
});
