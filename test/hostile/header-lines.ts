import { BODY, CLOSE, forwarded, HIDDEN, LENGTH, type Payload, refused, request, told } from './payload.ts';

const withLines = (...lines: readonly string[]): string => request([LENGTH, CLOSE, ...lines], BODY + HIDDEN);
const withHost = (host: string): string => `POST /completion HTTP/1.1\r\n${host}${LENGTH}\r\n${CLOSE}\r\n\r\n${BODY}`;

const WRONG_HOSTS = [
  'a/b@c',
  'user@x',
  'a,b',
  'a b',
  'a#b',
  'a?b',
  'a\\b',
  'x:port',
  'x:1:2',
  'x:-1',
  '[::1',
  '::1',
  '\u00e4',
];

const WRONG_LINES = [
  'no colon',
  ': no name',
  'a name: with a blank',
  'a(b: with a delimiter',
  'a\u0000b: with NUL',
  'a\u00e4: not ASCII',
  'a: NUL \u0000 in it',
  'a: CR \r in it',
  'a: LF \n in it',
  'a: DEL \u007f in it',
  'a: BEL \u0007 in it',
  'a: folded\r\n line',
  'a: folded\r\n\tline',
  'a: ends with LF\nb: c',
  'a\r: b',
  '\ra: b',
];

/** Lines of a request's head (RFC 9112 section 5, RFC 9110 section 7). */
export const HEADER_LINES: readonly Payload[] = [
  ...refused(
    400,
    WRONG_HOSTS.map((host) => [`the host ${told(host)}`, withHost(`Host: ${host}\r\n`)]),
  ),
  ...refused(
    400,
    WRONG_LINES.map((line) => [`the line ${told(line)}`, withLines(line)]),
  ),
  ...refused(
    400,
    ['Host: x', 'Host: y', 'hOST: x'].map((line) => [`a second ${told(line)}`, withLines(line)]),
  ),
  ...refused(
    400,
    ['Authorization', 'Content-Type', 'Content-Encoding', 'x-api-key', 'Expect'].map((name) => [
      `two lines of ${name}`,
      withLines(`${name}: 100-continue`, `${name.toUpperCase()}: 100-continue`),
    ]),
  ),
  ...refused(400, [
    ['no Host', withHost('')],
    ['a first line that is folded', `POST /completion HTTP/1.1\r\n Host: x\r\n${LENGTH}\r\n\r\n${BODY}`],
  ]),
  ...refused(417, [['an expectation that nobody knows', withLines('Expect: miracles')]]),
  ...refused(431, [
    ['101 lines', withLines(...Array.from({ length: 98 }, (_, index) => `X-${index}: y`))],
    ['3,000 lines', withLines(...Array.from({ length: 3000 }, () => 'a:b'))],
    ['a line of 17 KiB', withLines(`X: ${'y'.repeat(17_000)}`)],
    ['a name of 17 KiB', withLines(`${'y'.repeat(17_000)}: X`)],
    ['a target of 17 KiB', request([LENGTH], BODY, `POST /${'y'.repeat(17_000)} HTTP/1.1`)],
  ]),
  ...forwarded([
    ['an empty Host', withHost('Host:\r\n')],
    ['a Host with a port', withHost('Host: x.example:8080\r\n')],
    ['a Host that is IPv6', withHost('Host: [::1]:8080\r\n')],
    ['no Host in HTTP/1.0', `POST /completion HTTP/1.0\r\n${LENGTH}\r\n\r\n${BODY}`],
    ['100 lines', withLines(...Array.from({ length: 97 }, (_, index) => `X-${index}: y`))],
    ['a value that is not ASCII', withLines('X: \u00e4\u00ff')],
    ['an empty value', withLines('X:')],
    ['__proto__', withLines('__proto__: x', 'constructor: y', 'toString: z', 'hasOwnProperty: 1')],
    ['Upgrade to h2c', withLines('Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk')],
    ['Upgrade to websocket', withLines('Upgrade: websocket', 'Connection: Upgrade')],
    ['Connection that names Authorization', withLines('Authorization: x', 'Connection: close, authorization')],
    ['Connection that names Host', withLines('Connection: close, host')],
    ['Proxy-Connection', withLines('Proxy-Connection: keep-alive', 'Keep-Alive: timeout=99')],
    ['TE and Trailer', withLines('TE: trailers', 'Trailer: content-length')],
    ['Expect: 100-continue', withLines('Expect: 100-continue')],
    ['Expect in HTTP/1.0', request([LENGTH, 'Expect: 100-continue'], BODY, 'POST /completion HTTP/1.0')],
    ['another method in a header', withLines('X-HTTP-Method-Override: GET', 'X-Original-URL: /slots')],
    ['X-Forwarded-For', withLines('X-Forwarded-For: 127.0.0.1', 'Forwarded: for=127.0.0.1;host=y')],
  ]),
];
