import { milliseconds, since, type Duration, type Instant } from '../domain/units.ts';
import type { Served } from './connections.ts';
import type { EdgeLimits } from './limits.ts';
import { refuse, type Refusal } from './refusal.ts';

type PaceLimits = Pick<EdgeLimits, 'bodyTimeout' | 'minBodyRate'>;

/** How long a body may take of which this many bytes have come. */
export const bodyTimeFor = ({ bodyTimeout, minBodyRate }: PaceLimits, bytes: number): Duration =>
  milliseconds(Math.ceil(bodyTimeout + (bytes / minBodyRate) * 1000));

/**
 * Answers 408 to requests whose body comes too slowly. Looked at now and then, all of them together: a timer for each request
 * would cost more than all bodies that are fast. What came of a body along with its head is not counted.
 */
export function refuseSlow(incomplete: Iterable<Served>, limits: PaceLimits, now: Instant): void {
  for (const { req, res, began, bytesBefore } of incomplete) {
    const late = since(began, now) > bodyTimeFor(limits, req.socket.bytesRead - bytesBefore);
    if (late) refuse(res, BODY_TOO_SLOW);
  }
}

const BODY_TOO_SLOW: Refusal = {
  status: 408,
  code: 'body_too_slow',
  message: 'the body of the request came too slowly',
  close: true,
};
