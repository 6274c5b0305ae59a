import type { Duration, Instant } from './units.ts';

/** How a replica failed a request: nobody listened there; it ended before it answered; it ended in the middle of its answer. */
export const UPSTREAM_ERRORS = ['unreachable', 'unanswered', 'broken'] as const;
export type UpstreamError = (typeof UPSTREAM_ERRORS)[number];

/** All that is told of a request when it has ended. Never a key, a body, a header, a query, or a name that nobody declares. */
export interface EndedRequest {
  /** What the table of endpoints calls it, one of few; `undefined`: it is not there, or not for this method. */
  readonly route: string | undefined;
  readonly method: string | undefined;
  /** The address that it came from, by the word of trusted proxies. */
  readonly client: string;
  /** As it came, without the query; of any length. Where nobody declares the model that stands in it, that of the route. */
  readonly path: string;
  /** The canonical name of the model; `undefined`: none was named, or nobody declares it. */
  readonly model: string | undefined;
  /** Of the answer; 499 if its client left before (nginx counts them so; it is never sent). */
  readonly status: number;
  /** The code of the error that was answered here; also of one that ended an answer in its middle. */
  readonly code: string | undefined;
  /** The name of the key, never the key. */
  readonly keyId: string | undefined;
  /** The client's `x-request-id`, or the one that was made for it. */
  readonly requestId: string;
  readonly arrived: Instant;
  /** From its head to the last byte of its answer, or until one side was gone. */
  readonly duration: Duration;
  /** Spent in a queue. */
  readonly waited: Duration;
  /** From its head to the first byte of a replica's answer; `undefined`: no replica answered. */
  readonly firstByte: Duration | undefined;
  /** Of its body, as far as it was read, and of the answer's body. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** As the replica counted them; `undefined`: it did not say, which is not zero. */
  readonly tokensIn: number | undefined;
  readonly tokensOut: number | undefined;
  /** The last that happened, also if another attempt was answered. */
  readonly upstreamError: UpstreamError | undefined;
  /** A replica answered with an event stream. */
  readonly streamed: boolean;
  /** All of the answer went out. */
  readonly complete: boolean;
}
