/** Bytes that a client sends on one connection, and what has to come of them. */
export interface Payload {
  readonly name: string;
  /** A character for each byte. */
  readonly text: string;
  /**
   * The statuses of the answers, in their order; then the edge closes the connection. Each 200 is a request that has reached the
   * model, with the body `BODY` and as the only one.
   */
  readonly statuses: readonly number[];
}

/** The body of every request that may be forwarded. */
export const BODY = '{"model":"a"}';
/** It in one chunk. */
export const CHUNKED = `d\r\n${BODY}\r\n0\r\n\r\n`;
export const LENGTH = `Content-Length: ${BODY.length}`;
export const CLOSE = 'Connection: close';
const REQUEST_LINE = 'POST /completion HTTP/1.1';

/** A request whose head has these lines besides `Host`. */
export const request = (lines: readonly string[], rest: string, first = REQUEST_LINE): string =>
  `${[first, 'Host: x', ...lines].join('\r\n')}\r\n\r\n${rest}`;

/** A request that would be forwarded, if it were read as one: what smuggling tries to get in. */
export const HIDDEN = request([LENGTH], BODY);
export const PLAIN = request([LENGTH, CLOSE], BODY);

/** Everything that is refused in one way: name and bytes. */
export const refused = (status: number, payloads: readonly (readonly [name: string, text: string])[]): Payload[] =>
  payloads.map(([name, text]) => ({ name, text, statuses: [status] }));

/** Everything that is forwarded. */
export const forwarded = (payloads: readonly (readonly [name: string, text: string])[]): Payload[] =>
  payloads.map(([name, text]) => ({ name, text, statuses: [200] }));

/** A value as it is told in names. */
export const told = (text: string): string => JSON.stringify(text.slice(0, 40));
