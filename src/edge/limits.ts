import type { Duration } from '../domain/units.ts';

/** Bounds on what clients may take of the edge. Each is a row of `EDGE_LIMITS`, which has its default, and a flag. */
export interface EdgeLimits {
  /** Bytes of one JSON body. */
  readonly maxBodyBytes: number;
  /** Bytes of one multipart body. */
  readonly maxMultipartBytes: number;
  /** Bytes of all request bodies in memory at one moment: being read, held, or in flight. */
  readonly maxHeldBytes: number;
  /** Bytes of one request's head. */
  readonly maxHeaderBytes: number;
  /** Lines of one request's head, without its first. */
  readonly maxHeaderLines: number;
  /** From a connection's opening, or the first byte of a further request on it, to the end of the request's head. */
  readonly headersTimeout: Duration;
  /** From a request's head to the end of its body, beyond what `minBodyRate` allows for the bytes that have come. */
  readonly bodyTimeout: Duration;
  /** Bytes a second. */
  readonly minBodyRate: number;
  /** A connection without a request. */
  readonly keepAliveTimeout: Duration;
  /** From a request's head to the last byte of its answer, waiting included. */
  readonly requestTimeout: Duration;
  /** From a dispatch to an open connection to the replica. */
  readonly connectTimeout: Duration;
  /** From the first replica that could not be connected to, to the refusal; 0: no replica is tried twice. */
  readonly reachTimeout: Duration;
  /** From a request's last byte, sent to a replica, to the head of the answer; 0: no limit but `requestTimeout`. */
  readonly firstByteTimeout: Duration;
  /** Between two pieces of a replica's answer. */
  readonly chunkTimeout: Duration;
  /** Between two signs of life to a client that waits for a stream. */
  readonly heartbeatInterval: Duration;
  /** Connections of all clients. */
  readonly maxConnections: number;
  /** Connections of one client address. */
  readonly maxConnectionsPerAddress: number;
  /** Requests held for all models together. */
  readonly maxWaiting: number;
  /** Requests for models whose answer has not ended, held ones included. */
  readonly maxInFlight: number;
}

/** How long a replica may be silent, by phase. */
export type UpstreamLimits = Pick<EdgeLimits, 'connectTimeout' | 'firstByteTimeout' | 'chunkTimeout'>;

export type LimitUnit = 'bytes' | 'bytes a second' | 'time' | 'count';

/** One limit, as its flag, `--help` and docs/serve.md show it. */
export interface Limit {
  readonly unit: LimitUnit;
  /** Its default: bytes, milliseconds, or a number. */
  readonly initial: number;
  /** The lowest value that makes sense. */
  readonly lowest: 0 | 1;
  readonly meaning: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const limit =
  (unit: LimitUnit, lowest: 0 | 1 = 1) =>
  (initial: number, meaning: string): Limit => ({ unit, initial, lowest, meaning });
const bytes = limit('bytes');
const time = limit('time');
const count = limit('count');

/** Every limit, in the order in which `--help` shows them: the flag of `maxBodyBytes` is `--max-body-bytes`. */
export const EDGE_LIMITS: Readonly<Record<keyof EdgeLimits, Limit>> = {
  maxBodyBytes: bytes(32 * MIB, 'the largest JSON body'),
  maxMultipartBytes: bytes(128 * MIB, 'the largest multipart body'),
  maxHeldBytes: bytes(
    512 * MIB,
    'the bodies of all requests that are being read, held or sent, and those up to 64 KiB of requests in flight',
  ),
  maxHeaderBytes: bytes(16 * KIB, "a request's head"),
  maxHeaderLines: count(100, "header lines of a request's head"),
  headersTimeout: time(
    10 * SECOND,
    "the time for a request's head, from the connection's opening or its first byte on",
  ),
  bodyTimeout: time(30 * SECOND, "the time for a request's body, beyond what --min-body-rate allows for what has come"),
  minBodyRate: limit('bytes a second')(64 * KIB, 'how fast a body must come, beyond --body-timeout'),
  // Longer than the idle timeout of usual load balancers (60 s), so that it is not us who close under a request.
  keepAliveTimeout: time(75 * SECOND, 'a connection without a request is closed after this'),
  requestTimeout: time(30 * MINUTE, 'a whole request, from its head to the last byte of its answer, waiting included'),
  connectTimeout: time(2 * SECOND, 'the time for a connection to a llama-server'),
  reachTimeout: limit('time', 0)(
    30 * SECOND,
    'how long a request is held and tried again that no llama-server could be connected for; 0: not at all',
  ),
  firstByteTimeout: limit('time', 0)(0, 'the time for the head of its answer; 0: as long as the whole request'),
  chunkTimeout: time(5 * MINUTE, 'the longest pause in its answer'),
  heartbeatInterval: time(10 * SECOND, 'the time between two signs of life to a client that waits for a stream'),
  maxConnections: count(10_000, 'connections of all clients'),
  maxConnectionsPerAddress: count(
    1024,
    "connections of one client address; behind a trusted proxy, the client's requests",
  ),
  maxWaiting: limit('count', 0)(
    4096,
    "requests that are held, of all models; each model's own limit is its queue.maxWaiting",
  ),
  maxInFlight: count(10_000, 'requests for models at one moment, held ones included'),
};

const isName = (name: string): name is keyof EdgeLimits => Object.hasOwn(EDGE_LIMITS, name);

/** The limits' names. */
export const LIMIT_NAMES: readonly (keyof EdgeLimits)[] = Object.keys(EDGE_LIMITS).filter(isName);

const hasAll = (limits: object): limits is EdgeLimits => LIMIT_NAMES.every((name) => Object.hasOwn(limits, name));

/** Makes limits of one value for each. */
export function limitsFrom(valueOf: (name: keyof EdgeLimits) => number): EdgeLimits {
  const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, valueOf(name)]));
  if (!hasAll(limits)) throw new Error('a limit has no value');
  return limits;
}

export const DEFAULT_EDGE_LIMITS: EdgeLimits = limitsFrom((name) => EDGE_LIMITS[name].initial);
