import { BODY, CLOSE, forwarded, HIDDEN, LENGTH, type Payload, PLAIN, refused, request, told } from './payload.ts';

const REFUSED = [
  '+13',
  '-13',
  '-0',
  '0x0d',
  '0xd',
  '1_3',
  '1 3',
  '13,13',
  '13, 13',
  '13,14',
  '13;',
  '13.0',
  '1.3e1',
  '1e1',
  '"13"',
  '',
  ' ',
  'a',
  '13a',
  '13\u0000',
  '13\u000b',
  '\u000b13',
  '\u00b9\u00b3',
  '18446744073709551629',
  '99999999999999999999999',
  '13\r\n 3',
];

const OTHER_NAMES = [
  'Content-Length : 3',
  'Content-Length\t: 3',
  'Content-Length\u000b: 3',
  '\u000bContent-Length: 3',
  'Content Length: 3',
  'Content-Length\u0000: 3',
  ' Content-Length: 3',
  'X: y\nContent-Length: 3',
  'X: y\rContent-Length: 3',
];

/** How a body's length is told by Content-Length, or seems to be (RFC 9112 section 6.3). */
export const CONTENT_LENGTHS: readonly Payload[] = [
  ...refused(
    400,
    REFUSED.map((value) => [`the length ${told(value)}`, request([`Content-Length: ${value}`], BODY + HIDDEN)]),
  ),
  ...refused(
    400,
    OTHER_NAMES.map((line) => [`the line ${told(line)}`, request([LENGTH, line], BODY + HIDDEN)]),
  ),
  ...refused(400, [
    ['two equal lengths', request([LENGTH, LENGTH], BODY + HIDDEN)],
    [
      'two lengths, the longer last',
      request([LENGTH, `Content-Length: ${BODY.length + HIDDEN.length}`], BODY + HIDDEN),
    ],
    ['two lengths, the longer first', request(['Content-Length: 99', LENGTH], BODY + HIDDEN)],
    ['two lengths with lines between', request([LENGTH, 'X: y', 'content-length: 13'], BODY + HIDDEN)],
    ['GET with a body', request(['Content-Length: 3'], 'abc', 'GET /health HTTP/1.1')],
    ['GET with a request as its body', request([`Content-Length: ${HIDDEN.length}`], HIDDEN, 'GET /health HTTP/1.1')],
    ['HEAD with a body', request(['Content-Length: 3'], 'abc', 'HEAD /health HTTP/1.1')],
    ['OPTIONS with a body', request(['Content-Length: 3'], 'abc', 'OPTIONS /health HTTP/1.1')],
  ]),
  ...refused(408, [
    ['a body shorter than its length', request(['Content-Length: 14'], BODY)],
    ['no body behind a length', request([LENGTH], '')],
  ]),
  ...refused(413, [['a length over the limit', request(['Content-Length: 99999999'], HIDDEN)]]),
  ...forwarded([
    ['the length with a zero before it', request(['Content-Length: 013', CLOSE], BODY)],
    ['the length behind a tab', request(['Content-Length:\t13', CLOSE], BODY)],
    ['the length before blanks', request(['Content-Length: 13 \t ', CLOSE], BODY)],
    ['the length without a blank', request(['Content-Length:13', CLOSE], BODY)],
    ['the length in capitals', request(['CONTENT-LENGTH: 13', CLOSE], BODY)],
    ['a name that is nearly Content-Length', request([LENGTH, CLOSE, 'Content_Length: 3'], BODY)],
    ['a length that Connection names', request([LENGTH, 'Connection: close, content-length'], BODY)],
    ['a length in HTTP/1.0', request([LENGTH], BODY, 'POST /completion HTTP/1.0')],
  ]),
  { name: 'two requests in one packet', text: HIDDEN + PLAIN, statuses: [200, 200] },
  { name: 'a body longer than its length', text: `${request([LENGTH], BODY)}XXX\r\n\r\n`, statuses: [200, 400] },
  { name: 'no length, and a body', text: request([], 'XXX'), statuses: [400, 400] },
  { name: 'the length 0, and a request behind it', text: request(['Content-Length: 0'], PLAIN), statuses: [400, 200] },
];
