import { BODY, CHUNKED, CLOSE, forwarded, HIDDEN, LENGTH, type Payload, refused, request, told } from './payload.ts';

const REFUSED = [
  ',chunked',
  'chunked,',
  'chunked, chunked',
  'chunked,identity',
  'identity, chunked',
  'gzip, chunked',
  'x, chunked',
  'identity',
  'xchunked',
  'chunkedx',
  'chunk',
  '"chunked"',
  'chunked;q=1',
  'chunked chunked',
  'cow',
  '',
  '\u000bchunked',
  'chunked\u000b',
  'chunked\u0000',
  'chun\u0000ked',
  'chunked\u00a0',
  '\u00ff',
  'chunked\r\n , identity',
  'chunked \t',
];

const OTHER_NAMES = [
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding\u000b: chunked',
  '\u000bTransfer-Encoding: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding\r\n : chunked',
  'Transfer Encoding: chunked',
  'Transfer-Encoding',
  'Transfer-Encoding\u0000: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
];

/** How a body's length is told by Transfer-Encoding, or seems to be (RFC 9112 section 6). */
export const TRANSFER_ENCODINGS: readonly Payload[] = [
  ...refused(
    400,
    REFUSED.map((value) => [
      `the transfer coding ${told(value)}`,
      request([`Transfer-Encoding: ${value}`], CHUNKED + HIDDEN),
    ]),
  ),
  ...refused(
    400,
    OTHER_NAMES.map((line) => [`the line ${told(line)}`, request([LENGTH, line], BODY + HIDDEN)]),
  ),
  ...refused(400, [
    ['a length, then a transfer coding', request([LENGTH, 'Transfer-Encoding: chunked'], CHUNKED + HIDDEN)],
    ['a transfer coding, then a length', request(['Transfer-Encoding: chunked', LENGTH], CHUNKED + HIDDEN)],
    ['the length 0 and a transfer coding', request(['Content-Length: 0', 'Transfer-Encoding: chunked'], CHUNKED)],
    ['two transfer codings', request(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], CHUNKED)],
    ['identity, and then chunked', request(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], CHUNKED)],
    ['chunked, and then identity', request(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], CHUNKED)],
    ['an unknown coding, and then chunked', request(['Transfer-Encoding: x', 'Transfer-Encoding: chunked'], CHUNKED)],
    ['a transfer coding in HTTP/1.0', request(['Transfer-Encoding: chunked'], CHUNKED, 'POST /completion HTTP/1.0')],
    ['GET with a transfer coding', request(['Transfer-Encoding: chunked'], CHUNKED, 'GET /health HTTP/1.1')],
    ['HEAD with a transfer coding', request(['Transfer-Encoding: chunked'], CHUNKED, 'HEAD /health HTTP/1.1')],
  ]),
  ...forwarded([
    ...['chunked', 'Chunked', 'CHUNKED', '\tchunked'].map(
      (value) =>
        [
          `the transfer coding ${told(value)} itself`,
          request([`Transfer-Encoding: ${value}`, CLOSE], CHUNKED),
        ] as const,
    ),
    ['a name that is nearly Transfer-Encoding', request([LENGTH, CLOSE, 'Transfer_Encoding: chunked'], BODY)],
    ['a name that begins like Transfer-Encoding', request([LENGTH, CLOSE, 'Transfer-Encoding-: chunked'], BODY)],
    [
      'a transfer coding that Connection names',
      request(['Transfer-Encoding: chunked', 'Connection: close, transfer-encoding'], CHUNKED),
    ],
  ]),
];
