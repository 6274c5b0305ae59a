/** What a replica sent is not HTTP/1.1 as RFC 9112 has it, or leaves open where its answer ends. */
export class ProtocolError extends Error {}

/** Where the body of an answer ends (RFC 9112 section 6.3). */
export type BodyLength =
  | { readonly kind: 'none' }
  /** After so many bytes, at least one. */
  | { readonly kind: 'known'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** The head of a replica's answer. */
export interface ResponseHead {
  readonly status: number;
  /** Names in small letters and values in turn, in the order in which they came. */
  readonly headers: readonly string[];
  readonly contentType: string | undefined;
  /** The options of its connection. */
  readonly connection: string | undefined;
  readonly length: BodyLength;
  /**
   * How long the connection may be idle and still be used again, in milliseconds; `undefined`: nothing was said of it, 0: the
   * connection ends with this answer.
   */
  readonly keepAlive: number | undefined;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+.^`|~\w-]+$/;
/** Whether a name of a header may have this byte. */
export const isNameByte = (byte: number): boolean => NAME.test(String.fromCharCode(byte));
/** Control characters, and half a line end: what it means would depend on who reads it (RFC 9112 section 2.2). */
const FORBIDDEN = /[^\t\r\n -~\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
/** So many digits that the number is exact. */
const LENGTH = /^\d{1,15}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout=(\d{1,6})(?:[,;\s]|$)/i;

/** What of a head decides about its body and its connection. */
interface Framing {
  contentType: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

/**
 * Reads a head: `text` is all of it up to the blank line that ends it, one character a byte. A head that two readers could
 * take in two ways is refused: a folded line, two lengths, a length beside chunks, any coding but `chunked` alone. So is one
 * whose body would end with its connection: a cut could not be told from the end.
 *
 * Throws ProtocolError.
 */
export function parseResponseHead(text: string): ResponseHead {
  if (FORBIDDEN.test(text)) throw new ProtocolError('the head of its answer has a character that must not be there');
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, digits] = STATUS_LINE.exec(first) ?? [];
  if (digits === undefined) throw new ProtocolError('its answer is not HTTP/1.1');
  const status = Number(digits);
  const framing: Framing = {
    contentType: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    connection: undefined,
    keepAlive: undefined,
  };
  const headers: string[] = [];
  for (const line of lines) readLine(line, headers, framing);
  return {
    status,
    headers,
    contentType: framing.contentType,
    connection: framing.connection,
    length: lengthOf(status, framing),
    keepAlive: keepAliveOf(minor === '1', framing),
  };
}

function readLine(line: string, headers: string[], framing: Framing): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  if (!NAME.test(name)) throw new ProtocolError('its answer has a header line without a name');
  const lower = name.toLowerCase();
  const value = trimmed(line, colon + 1);
  headers.push(lower, value);
  note(framing, lower, value);
}

function note(framing: Framing, name: string, value: string): void {
  switch (name) {
    case 'content-type':
      framing.contentType ??= value;
      return;
    case 'content-length':
      if (framing.contentLength !== undefined) throw new ProtocolError('its answer has two lengths');
      framing.contentLength = value;
      return;
    case 'transfer-encoding':
      framing.transferEncoding = joined(framing.transferEncoding, value);
      return;
    case 'connection':
      framing.connection = joined(framing.connection, value);
      return;
    case 'keep-alive':
      framing.keepAlive = joined(framing.keepAlive, value);
      return;
    default:
  }
}

const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

/** Without the blanks around it, which are spaces and tabs only (RFC 9112 section 5.1). */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start += 1;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const NO_BODY: BodyLength = { kind: 'none' };
const CHUNKED: BodyLength = { kind: 'chunked' };

function lengthOf(status: number, framing: Framing): BodyLength {
  const { contentLength, transferEncoding } = framing;
  // Also where there is no body: who sends that is not to be trusted with the next answer.
  checkFraming(framing);
  if (status < 200 || status === 204 || status === 304) return NO_BODY;
  if (transferEncoding !== undefined) return CHUNKED;
  if (contentLength === undefined) throw new ProtocolError('its answer has neither a length nor chunks');
  const bytes = Number(contentLength);
  return bytes === 0 ? NO_BODY : { kind: 'known', bytes };
}

function checkFraming({ contentLength, transferEncoding }: Framing): void {
  if (contentLength !== undefined && transferEncoding !== undefined)
    throw new ProtocolError('its answer has a length beside chunks');
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked')
    throw new ProtocolError('its answer comes in a coding other than chunks');
  if (contentLength !== undefined && !LENGTH.test(contentLength))
    throw new ProtocolError('the length of its answer is no number');
}

function keepAliveOf(isPersistent: boolean, { connection, keepAlive }: Framing): number | undefined {
  if (!isPersistent || (connection !== undefined && says(connection, 'close'))) return 0;
  const seconds = keepAlive === undefined ? undefined : KEEP_ALIVE_TIMEOUT.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

const says = (connection: string, option: string): boolean =>
  connection.toLowerCase() === option || connection.split(',').some((part) => part.trim().toLowerCase() === option);
