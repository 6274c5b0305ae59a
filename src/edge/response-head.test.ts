import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResponseHead, ProtocolError, type ResponseHead } from './response-head.ts';

const parse = (...lines: readonly string[]): ResponseHead => parseResponseHead(lines.join('\r\n'));
const OK = 'HTTP/1.1 200 OK';

test('names come in small letters, values without blanks around them, both in their order', () => {
  const { status, headers } = parse(OK, 'X-B: 2', 'Content-Length:\t 5 \t', 'x-a:', 'X-B: 3');
  assert.equal(status, 200);
  assert.deepEqual(headers, ['x-b', '2', 'content-length', '5', 'x-a', '', 'x-b', '3']);
});

const LENGTHS: readonly [lines: string[], length: ResponseHead['length']][] = [
  [[OK, 'Content-Length: 5'], { kind: 'known', bytes: 5 }],
  [[OK, 'Content-Length: 0'], { kind: 'none' }],
  [[OK, 'Transfer-Encoding: Chunked'], { kind: 'chunked' }],
  [['HTTP/1.1 204 No Content'], { kind: 'none' }],
  [['HTTP/1.1 304 Not Modified', 'Content-Length: 5'], { kind: 'none' }],
  [['HTTP/1.1 103 Early Hints', 'Link: x'], { kind: 'none' }],
  [['HTTP/1.1 200', 'Content-Length: 1'], { kind: 'known', bytes: 1 }],
];
for (const [lines, length] of LENGTHS) {
  test(`the body of ${JSON.stringify(lines)} is ${JSON.stringify(length)}`, () => {
    assert.deepEqual(parse(...lines).length, length);
  });
}

const KEPT: readonly [lines: string[], keepAlive: number | undefined][] = [
  [[OK, 'Content-Length: 0'], undefined],
  [[OK, 'Content-Length: 0', 'Keep-Alive: timeout=5, max=100'], 5000],
  [[OK, 'Content-Length: 0', 'Keep-Alive: max=100', 'Keep-Alive: Timeout=7'], 7000],
  [[OK, 'Content-Length: 0', 'Keep-Alive: notimeout=5'], undefined],
  [[OK, 'Content-Length: 0', 'Connection: close', 'Keep-Alive: timeout=5'], 0],
  [[OK, 'Content-Length: 0', 'Connection: x', 'Connection: y, Close'], 0],
  [['HTTP/1.0 200 OK', 'Content-Length: 0', 'Connection: keep-alive'], 0],
];
for (const [lines, keepAlive] of KEPT) {
  test(`after ${JSON.stringify(lines)} a connection may be idle for ${keepAlive} ms`, () => {
    assert.equal(parse(...lines).keepAlive, keepAlive);
  });
}

test('all options of a connection are told', () => {
  assert.equal(parse(OK, 'Content-Length: 0', 'Connection: x-a', 'Connection: x-b').connection, 'x-a, x-b');
});

/** Each could be read in two ways by two readers, or has no end. */
const REFUSED: readonly string[][] = [
  [''],
  ['SSH-2.0-OpenSSH'],
  ['HTTP/1.1 200OK', 'Content-Length: 0'],
  ['HTTP/1.1  200 OK', 'Content-Length: 0'],
  ['HTTP/1.1 20 OK', 'Content-Length: 0'],
  ['HTTP/1.1 600 OK', 'Content-Length: 0'],
  ['HTTP/2 200 OK', 'Content-Length: 0'],
  ['http/1.1 200 OK', 'Content-Length: 0'],
  [' HTTP/1.1 200 OK', 'Content-Length: 0'],
  [OK],
  [OK, 'Content-Length: 5', 'Content-Length: 5'],
  [OK, 'Content-Length: 5, 5'],
  [OK, 'Content-Length: +5'],
  [OK, 'Content-Length: -5'],
  [OK, 'Content-Length: 0x5'],
  [OK, 'Content-Length: 5 5'],
  [OK, 'Content-Length: 9999999999999999'],
  [OK, 'Content-Length:'],
  [OK, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['HTTP/1.1 204 No Content', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['HTTP/1.1 304 Not Modified', 'Transfer-Encoding: gzip'],
  [OK, 'Transfer-Encoding: gzip, chunked'],
  [OK, 'Transfer-Encoding: chunked, chunked'],
  [OK, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  [OK, 'Transfer-Encoding: xchunked'],
  [OK, 'Transfer-Encoding: "chunked"'],
  [OK, 'Content-Length : 5'],
  [OK, ' Content-Length: 5'],
  [OK, 'X-A: 1', ' folded', 'Content-Length: 5'],
  [OK, 'X-A: 1', '\tfolded', 'Content-Length: 5'],
  [OK, 'no colon', 'Content-Length: 5'],
  [OK, ': no name', 'Content-Length: 5'],
  [OK, 'X A: 1', 'Content-Length: 5'],
  [OK, 'X-\xe4: 1', 'Content-Length: 5'],
  [OK, 'X-A: a\0b', 'Content-Length: 5'],
  [OK, 'X-A: a\x01b', 'Content-Length: 5'],
  [OK, 'X-A: a\x7fb', 'Content-Length: 5'],
  [OK, 'X-A: a\nContent-Length: 5'],
  [OK, 'X-A: a\rContent-Length: 5'],
  [OK, 'X-A: a\r\r\nContent-Length: 5'],
  ['HTTP/1.1 200 O\nK', 'Content-Length: 5'],
];
for (const lines of REFUSED) {
  test(`the head ${JSON.stringify(lines)} is refused`, () => {
    assert.throws(() => parse(...lines), ProtocolError);
  });
}
