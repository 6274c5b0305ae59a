import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from './response-head.ts';
import { ResponseReader } from './response-reader.ts';
import { testSeed } from '../testing/seed.ts';

interface Seen {
  readonly events: readonly string[];
  readonly body: string;
  /** Bytes of the answer; `undefined`: it was not read to its end. */
  readonly used: number | undefined;
}

/** Reads an answer that comes in parts, each of them in the same memory, as those of a connection do. */
function readParts(parts: readonly string[]): Seen {
  const events: string[] = [];
  const kept: Buffer[] = [];
  const reader = new ResponseReader({
    head: ({ status, headers }) => events.push(`${status} ${headers.join(' ')}`),
    body: (part) => kept.push(part),
  });
  let used = 0;
  for (const part of parts) {
    const room = Buffer.from(part, 'latin1');
    used += reader.read(room);
    room.fill('#');
    if (reader.isWhole) break;
  }
  return { events, body: Buffer.concat(kept).toString('latin1'), used: reader.isWhole ? used : undefined };
}

/** `text` cut at some places. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = places.map((place) => place % (text.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((start, at) => text.slice(start, sorted[at]));
}

const HEAD = 'HTTP/1.1 200 OK\r\nX: y\r\n';
const chunked = (...chunks: readonly string[]): string =>
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks.map((data) => `${data.length.toString(16)}\r\n${data}\r\n`).join('')}0\r\n\r\n`;
const known = (body: string): string => `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;

const bodies = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ';', '\xff'), maxLength: 40 });
const answers = fc.oneof(
  bodies.map((body) => ({ text: known(body), body })),
  fc.array(bodies.filter((data) => data !== '')).map((parts) => ({ text: chunked(...parts), body: parts.join('') })),
);

test('however the bytes of an answer are cut, its head, its body and its end are the same', () => {
  fc.assert(
    fc.property(answers, fc.array(fc.nat()), fc.constantFrom('', 'HTTP/1.1 500'), ({ text, body }, places, more) => {
      const seen = readParts(cut(text + more, places));
      assert.equal(seen.events.length, 1);
      assert.equal(seen.body, body);
      assert.equal(seen.used, text.length);
    }),
    { seed: testSeed() },
  );
});

test('an answer that is cut short is not whole, wherever that is', () => {
  fc.assert(
    fc.property(answers, fc.nat(), ({ text, body }, length) => {
      const seen = readParts([text.slice(0, length % text.length)]);
      assert.equal(seen.used, undefined);
      assert.ok(body.startsWith(seen.body));
    }),
    { seed: testSeed() },
  );
});

test('the data of one read comes in one part', () => {
  const parts: Buffer[] = [];
  const reader = new ResponseReader({ head: () => undefined, body: (part) => parts.push(part) });
  reader.read(Buffer.from(chunked('data: 1\n\n', 'data: 2\n\n')));
  assert.deepEqual(parts.map(String), ['data: 1\n\ndata: 2\n\n']);
});

test('answers before the answer are passed over', () => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
  for (const text of [early + early + known('{}')]) {
    assert.equal(readParts([text]).body, '{}');
    assert.equal(readParts(text.split('')).used, text.length);
  }
  assert.throws(() => readParts([early.repeat(17)]), ProtocolError);
  assert.throws(() => readParts(['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n']), ProtocolError);
});

test('what is said of the connection is known when the answer is', () => {
  const reader = new ResponseReader({ head: () => undefined, body: () => undefined });
  reader.read(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\n'));
  assert.deepEqual([reader.isWhole, reader.keepAlive], [true, 5000]);
});

test('extensions and trailers are skipped', () => {
  const body = '5;a="b"\r\nhello\r\n00;x\r\nX-T: 1\r\nX-U: 2\r\n\r\n';
  const text = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${body}`;
  assert.deepEqual(readParts([text]), { ...readParts(text.split('')), body: 'hello', used: text.length });
});

const NO_CHUNKS: readonly string[] = [
  '\r\n',
  ' 5\r\nhello\r\n',
  '5 \r\nhello\r\n',
  '5\nhello\r\n',
  '5\r\nhelloX',
  '5\r\nhello\n',
  '5\r\nhello\r0',
  '-5\r\nhello\r\n',
  '+5\r\nhello\r\n',
  '0x5\r\nhello\r\n',
  '5_\r\nhello\r\n',
  'g\r\n',
  ';x\r\nhello\r\n',
  '5;x\nhello\r\n',
  '5;\0\r\nhello\r\n',
  '5\r\r\nhello\r\n',
  '10000000000000\r\n',
  '00000000000005\r\nhello\r\n',
  `5;${'x'.repeat(20_000)}\r\nhello\r\n`,
  '0\r\nX: 1\nY: 2\r\n\r\n',
  '0\r\nX\r\n\r\n',
  '0\r\n: 1\r\n\r\n',
  '0\r\nX : 1\r\n\r\n',
  '0\r\n folded: 1\r\n\r\n',
  '0\r\n\n',
  `0\r\n${'X: 1\r\n'.repeat(4000)}\r\n`,
];
for (const body of NO_CHUNKS) {
  test(`the chunks ${JSON.stringify(body.slice(0, 40))} are refused`, () => {
    assert.throws(() => readParts([`${HEAD}Transfer-Encoding: chunked\r\n\r\n${body}`]), ProtocolError);
  });
}

test('a head without an end is refused once it is too long', () => {
  const lines = 'X: y\r\n'.repeat(3000);
  assert.throws(() => readParts([HEAD, lines]), /too long/);
  assert.throws(() => readParts([`${HEAD}${lines}Content-Length: 0\r\n\r\n`]), /too long/);
});
