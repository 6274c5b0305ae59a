import { isGivenBack } from './give-back.ts';

/** What is sent to a replica. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, as the client sent them. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer | null;
  /**
   * Not to use the connection again. llama-server closes a connection a moment after a stream has ended on it, although it
   * has promised to keep it alive (seen with v0.5.0): the next request on it would be lost.
   */
  readonly reset: boolean;
}

/** Head and body together, or the body by itself behind its head. */
export type RequestParts = readonly [Buffer] | readonly [head: Buffer, body: Buffer];

/** A body up to this size is copied behind its head, so that both are one write. */
const MAX_COPIED = 64 * 1024;
/** What a target may consist of. */
const TARGET = /^[!-~\x80-\xff]+$/;
/** What a value may consist of (RFC 9110 section 5.5). */
const VALUE = /^[\t -~\x80-\xff]*$/;

/**
 * The bytes of a request, in one or two parts. What comes from a client was checked by Node's parser before; it is checked again
 * here, because a line end in it would be a request of its own.
 *
 * Throws if there is one, and for a body whose memory was given back: it would be sent as none.
 */
export function requestBytes({ method, path, headers, body, reset }: OutgoingRequest, host: string): RequestParts {
  if (!TARGET.test(path)) throw new Error('the path of a request must not be sent on');
  if (body !== null && isGivenBack(body)) throw new Error('the body of a request is sent once');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${reset ? 'close' : 'keep-alive'}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += headerLine(headers[at], headers[at + 1]);
  if (body !== null) head += `content-length: ${body.length}\r\n`;
  head += '\r\n';
  return body !== null && body.length <= MAX_COPIED ? [joined(head, body)] : separate(head, body);
}

function headerLine(name = '', value = ''): string {
  if (!VALUE.test(value)) throw new Error(`the value of ${name} must not be sent on`);
  return `${name}: ${value}\r\n`;
}

function joined(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}

const separate = (head: string, body: Buffer | null): RequestParts => {
  const first = Buffer.from(head, 'latin1');
  return body === null ? [first] : [first, body];
};
