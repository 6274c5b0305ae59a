import type { IncomingMessage, ServerResponse } from 'node:http';
import { milliseconds, since, type Duration, type Instant } from '../domain/units.ts';
import type { EdgeLimits } from './limits.ts';
import { refuse, type Refusal } from './refusal.ts';

type PaceLimits = Pick<EdgeLimits, 'bodyTimeout' | 'minBodyRate'>;

/** How long a body may take of which this many bytes have come. */
export const bodyTimeFor = ({ bodyTimeout, minBodyRate }: PaceLimits, bytes: number): Duration =>
  milliseconds(Math.ceil(bodyTimeout + (bytes / minBodyRate) * 1000));

/** A body that is on its way. */
interface Coming {
  readonly res: ServerResponse;
  readonly began: Instant;
  /** Of its connection, when its head was complete; what came of the body along with that is not counted. */
  readonly bytesBefore: number;
}

/**
 * Ends requests whose body comes too slowly. Looked at now and then, all of them together: a timer for each request would
 * cost more than all bodies that are fast.
 */
export class BodyPace {
  readonly #limits: PaceLimits;
  readonly #coming = new Map<IncomingMessage, Coming>();

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** A request's head is complete, and a body follows. */
  begin(req: IncomingMessage, res: ServerResponse, now: Instant): void {
    this.#coming.set(req, { res, began: now, bytesBefore: req.socket.bytesRead });
  }

  /** The request has ended. */
  end(req: IncomingMessage): void {
    this.#coming.delete(req);
  }

  /** Answers 408 to those that are too slow. Each is told once: it has ended then. */
  check(now: Instant): void {
    for (const [req, { res, began, bytesBefore }] of this.#coming) {
      const late = since(began, now) > bodyTimeFor(this.#limits, req.socket.bytesRead - bytesBefore);
      if (req.complete || late) this.#coming.delete(req);
      if (!req.complete && late) refuse(res, BODY_TOO_SLOW);
    }
  }
}

const BODY_TOO_SLOW: Refusal = {
  status: 408,
  code: 'body_too_slow',
  message: 'the body of the request came too slowly',
  close: true,
};
