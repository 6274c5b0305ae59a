import { BODY, CLOSE, forwarded, HIDDEN, type Payload, refused, request, told } from './payload.ts';

const chunkedRequest = (rest: string): string => request(['Transfer-Encoding: chunked', CLOSE], rest);
const END = '0\r\n\r\n';

const WRONG_SIZES = [
  '0xd',
  '+d',
  '-d',
  'd ',
  ' d',
  'd\t',
  '\td',
  '',
  'g',
  'dg',
  'd.0',
  'd,',
  'd\u0000',
  'd\u000b',
  '10000000000000000d',
  'd\r',
  'd\n',
];

/** Chunks of a body (RFC 9112 section 7.1). */
export const CHUNKS: readonly Payload[] = [
  ...refused(
    400,
    WRONG_SIZES.map((size) => [
      `the chunk size ${told(size)}`,
      chunkedRequest(`${size}\r\n${BODY}\r\n${END}${HIDDEN}`),
    ]),
  ),
  ...refused(400, [
    ['lines of chunks that end with LF', chunkedRequest(`d\n${BODY}\n0\n\n${HIDDEN}`)],
    ['a chunk whose data ends with LF', chunkedRequest(`d\r\n${BODY}\n${END}${HIDDEN}`)],
    ['a chunk whose data ends with nothing', chunkedRequest(`d\r\n${BODY}${END}${HIDDEN}`)],
    ['a chunk with more data than its size', chunkedRequest(`d\r\n${BODY}XX\r\n${END}${HIDDEN}`)],
    ['a chunk with less data than its size', chunkedRequest(`f\r\n${BODY}\r\n${END}${HIDDEN}`)],
    ['a CR within an extension', chunkedRequest(`d;a\rb\r\n${BODY}\r\n${END}${HIDDEN}`)],
    ['a LF within an extension', chunkedRequest(`d;a\nb\r\n${BODY}\r\n${END}${HIDDEN}`)],
    ['an extension that ends with LF', chunkedRequest(`d;a=b\n${BODY}\r\n${END}${HIDDEN}`)],
    ['a length among the trailers', chunkedRequest(`d\r\n${BODY}\r\n0\r\nContent-Length: 5\r\n\r\n${HIDDEN}`)],
    ['a transfer coding among the trailers', chunkedRequest(`d\r\n${BODY}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`)],
    ['a trailer without a colon', chunkedRequest(`d\r\n${BODY}\r\n0\r\nXY\r\n\r\n${HIDDEN}`)],
    ['a trailer that ends with LF', chunkedRequest(`d\r\n${BODY}\r\n0\r\nX: y\n\r\n${HIDDEN}`)],
    ['a last chunk that ends with CR', chunkedRequest(`d\r\n${BODY}\r\n0\r\n\rX${HIDDEN}`)],
    ['a length as if it were chunks', chunkedRequest(BODY + HIDDEN)],
  ]),
  ...refused(408, [
    ['no last chunk', chunkedRequest(`d\r\n${BODY}\r\n`)],
    ['no end of the last chunk', chunkedRequest(`d\r\n${BODY}\r\n0\r\n`)],
    ['no chunk', chunkedRequest('')],
    ['a chunk of 2^64 - 1 bytes', chunkedRequest(`ffffffffffffffff\r\n${BODY}\r\n${END}`)],
    ['a chunk of which little comes', chunkedRequest(`1000000\r\n${BODY}${HIDDEN}`)],
  ]),
  ...refused(413, [['an extension of 64 KiB', chunkedRequest(`d;${'a'.repeat(65_536)}\r\n${BODY}\r\n${END}`)]]),
  ...refused(431, [['trailers of 17 KiB', chunkedRequest(`d\r\n${BODY}\r\n0\r\nX: ${'y'.repeat(17_000)}\r\n\r\n`)]]),
  ...forwarded([
    ['a chunk for each byte', chunkedRequest(`${BODY.replaceAll(/[^]/g, '1\r\n$&\r\n')}${END}`)],
    ['a size with zeros before it', chunkedRequest(`0000000d\r\n${BODY}\r\n0000\r\n\r\n`)],
    ['a size in capitals', chunkedRequest(`D\r\n${BODY}\r\n${END}`)],
    ['an extension', chunkedRequest(`d;a=b\r\n${BODY}\r\n${END}`)],
    ['an extension in quotes', chunkedRequest(`d;a="b;c"\r\n${BODY}\r\n${END}`)],
    ['a trailer', chunkedRequest(`d\r\n${BODY}\r\n0\r\nX: y\r\n\r\n`)],
    ['an Authorization among the trailers', chunkedRequest(`d\r\n${BODY}\r\n0\r\nAuthorization: x\r\n\r\n`)],
    ['a Host among the trailers', chunkedRequest(`d\r\n${BODY}\r\n0\r\nHost: y\r\n\r\n`)],
  ]),
];
