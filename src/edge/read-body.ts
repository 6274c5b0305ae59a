import type { IncomingMessage } from 'node:http';
import { BodyBytes } from './body-bytes.ts';
import type { BoundedCount } from './bounded-count.ts';
import type { Refusal } from './refusal.ts';

/** What one request has taken of the bytes that all request bodies may have in memory at one moment. */
export class BodyShare {
  readonly #budget: BoundedCount;
  #taken = 0;
  #all = 0;

  constructor(budget: BoundedCount) {
    this.#budget = budget;
  }

  take(bytes: number): boolean {
    const taken = this.#budget.take(bytes);
    if (!taken) return false;
    this.#taken += bytes;
    this.#all += bytes;
    return true;
  }

  /** All that was ever taken, given back or not: the bytes of the body so far. */
  get all(): number {
    return this.#all;
  }

  /** Gives all of it back. */
  release(): void {
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

/** Reads a request's whole body. Stops reading where it gets too large; how long it may take is the server's to bound. */
export async function readBody(
  req: IncomingMessage,
  { share, maxBytes }: BodyBounds,
  reader: BodyReader,
): Promise<ReadBody> {
  // What a client announces is refused before it is sent. A length that is not announced, or not the truth, is counted below.
  const announced = req.headers['content-length'];
  if (Number(announced) > maxBytes) return tooLarge(maxBytes);
  if (req.destroyed) return { kind: 'gone' };
  const body = new BodyBytes(announced === undefined ? maxBytes : Number(announced));
  return new Promise((resolve) => {
    let turnEnds = BYTES_PER_TURN;
    let nextTurn: NodeJS.Immediate | undefined;
    const finish = (outcome: ReadBody): void => {
      clearImmediate(nextTurn);
      req.off('data', onData).off('end', onEnd).off('close', onClose).pause();
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      if (body.size + chunk.length > maxBytes) finish(tooLarge(maxBytes));
      else if (share.take(chunk.length)) take(chunk);
      else finish(OVERLOADED);
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
  });
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
