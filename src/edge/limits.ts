import { minutes, seconds, type Duration } from '../domain/units.ts';

/** Bounds on what clients may take of the edge. */
export interface EdgeLimits {
  /** Bytes of one request body. */
  readonly maxBodyBytes: number;
  /** Bytes of all request bodies in memory at one moment: being read, held, or in flight. */
  readonly maxHeldBytes: number;
  /** From a request's head to the last byte of its answer, waiting included. */
  readonly requestTimeout: Duration;
  /** From a connection's first byte to the end of a request's head. */
  readonly headersTimeout: Duration;
  /** From a connection's first byte to the end of a request's body. */
  readonly bodyTimeout: Duration;
}

const MIB = 1024 * 1024;

export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  maxBodyBytes: 32 * MIB,
  maxHeldBytes: 512 * MIB,
  requestTimeout: minutes(30),
  headersTimeout: seconds(10),
  bodyTimeout: minutes(5),
};
