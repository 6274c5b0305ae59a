import type { IncomingMessage } from 'node:http';
import { BodyBytes } from './body-bytes.ts';
import type { BoundedCount } from './bounded-count.ts';
import type { Refusal } from './refusal.ts';

/** What one request has taken of the bytes that all request bodies may have in memory at one moment. */
export class BodyShare {
  readonly #budget: BoundedCount;
  #taken = 0;
  #all = 0;
  #isReleased = false;

  constructor(budget: BoundedCount) {
    this.#budget = budget;
  }

  /** False: there is no room. Nor is there any for what still comes of a request that has ended. */
  take(bytes: number): boolean {
    if (this.#isReleased || !this.#budget.take(bytes)) return false;
    this.#taken += bytes;
    this.#all += bytes;
    return true;
  }

  /** Its request has ended. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** All that was ever taken, given back or not: the bytes of the body so far. */
  get all(): number {
    return this.#all;
  }

  /** Gives all of it back, for good. */
  release(): void {
    this.#isReleased = true;
    this.#budget.give(this.#taken);
    this.#taken = 0;
  }
}

/** A body, or why it was not read to its end; `gone`: its client has left. */
export type ReadBody =
  | { readonly kind: 'read'; readonly body: Buffer }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'gone' };

/** Looks at a body while it arrives. */
export interface BodyReader {
  /** The first `size` of `bytes` have arrived. Those of before are the same, though `bytes` may be another buffer. */
  read(bytes: Buffer, size: number): void;
}

/** Bytes of one body that are read before others get their turn: their reader needs less than a millisecond for them. */
export const BYTES_PER_TURN = 256 * 1024;

/** What bounds the reading of a body. */
export interface BodyBounds {
  readonly share: BodyShare;
  readonly maxBytes: number;
}

/**
 * Reads a request's whole body. Stops reading where it gets too large; how long it may take is the server's to bound. Calls `done`
 * once, at once where the first look tells enough.
 */
export function readBody(
  req: IncomingMessage,
  { share, maxBytes }: BodyBounds,
  reader: BodyReader,
  done: (read: ReadBody) => void,
): void {
  // What a client announces is refused before it is sent. A length that is not announced, or not the truth, is counted below.
  const announced = req.headers['content-length'];
  if (Number(announced) > maxBytes) {
    done(tooLarge(maxBytes));
    return;
  }
  if (req.destroyed) {
    done({ kind: 'gone' });
    return;
  }
  const body = new BodyBytes(announced === undefined ? maxBytes : Number(announced));
  let turnEnds = BYTES_PER_TURN;
  let nextTurn: NodeJS.Immediate | undefined;
  let over = false;
  const finish = (outcome: ReadBody): void => {
    if (over) return;
    over = true;
    clearImmediate(nextTurn);
    // An answer may take hours: what has read the request is not kept for so long.
    req.off('data', onData).off('end', onEnd).off('close', onClose);
    done(outcome);
  };
  const stop = (outcome: ReadBody): void => {
    req.pause();
    finish(outcome);
  };
  const onData = (chunk: Buffer): void => {
    // Whoever was answered before all has come is read on by the connection, which ends with it: pausing would hold that up.
    if (share.isReleased) finish({ kind: 'gone' });
    else if (body.size + chunk.length > maxBytes) stop(tooLarge(maxBytes));
    else if (share.take(chunk.length)) take(chunk);
    else stop(OVERLOADED);
  };
  const take = (chunk: Buffer): void => {
    body.add(chunk);
    reader.read(body.bytes, body.size);
    if (body.size >= turnEnds) waitForTurn();
  };
  const waitForTurn = (): void => {
    turnEnds = body.size + BYTES_PER_TURN;
    req.pause();
    nextTurn = setImmediate(() => req.resume());
  };
  const onEnd = (): void => {
    finish({ kind: 'read', body: body.whole() });
  };
  const onClose = (): void => {
    finish({ kind: 'gone' });
  };
  // An error is followed by `close`; without a listener it would end the process.
  req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore);
}

const ignore = (): void => undefined;

const tooLarge = (maxBytes: number): ReadBody => ({
  kind: 'refused',
  refusal: { status: 413, code: 'body_too_large', message: `the body is larger than ${maxBytes} bytes`, close: true },
});

const OVERLOADED: ReadBody = {
  kind: 'refused',
  refusal: {
    status: 503,
    code: 'overloaded',
    message: 'the requests that are waiting fill the memory set aside for them',
    retryAfter: 1,
    close: true,
  },
};
