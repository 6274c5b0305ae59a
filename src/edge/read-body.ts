import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';

/** Bounds the bytes of all request bodies in memory at one moment. */
export class BodyBudget {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False, and nothing taken: there is no room for that many more bytes. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#limit) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** What one request has taken of the budget. */
export class BodyShare {
  readonly #budget: BodyBudget;
  #taken = 0;
  #all = 0;

  constructor(budget: BodyBudget) {
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

/** Reads a request's whole body. Stops reading where it gets too large; how long it may take is the server's to bound. */
export async function readBody(req: IncomingMessage, share: BodyShare, maxBytes: number): Promise<ReadBody> {
  // What a client announces is refused before it is sent. A length that is not announced, or not the truth, is counted below.
  if (Number(req.headers['content-length']) > maxBytes) return tooLarge(maxBytes);
  if (req.destroyed) return { kind: 'gone' };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (outcome: ReadBody): void => {
      req.off('data', onData).off('end', onEnd).off('close', onClose).pause();
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) finish(tooLarge(maxBytes));
      else if (!share.take(chunk.length)) finish(OVERLOADED);
    };
    const onEnd = (): void => {
      finish({ kind: 'read', body: Buffer.concat(chunks, size) });
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
