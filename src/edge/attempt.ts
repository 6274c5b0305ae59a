import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AnswerMeter } from './answer-meter.ts';
import { responseHeaders } from './headers.ts';
import { errorBody, noteError, type Refusal } from './refusal.ts';
import type { Upstream } from './upstreams.ts';

/** What is sent to a replica. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, as the client sent them. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer | null;
  /**
   * Not to use the connection again. llama-server closes a connection a moment after a stream has ended on it, although it
   * has promised to keep it alive (seen with v0.5.0): the next request on it would be lost.
   */
  readonly reset: boolean;
}

/** How an attempt can fail. Exactly one is called, at most once, and none after `abort`. */
export interface AttemptEvents {
  /** Nothing was sent: the replica cannot have done anything, and another attempt is safe. */
  untouched(error: Error): void;
  /** The replica may have begun, but has answered nothing. */
  unanswered(error: Error): void;
  /** The answer ended in its middle. The client has been told. */
  broken(error: Error): void;
}

/** How long the last words of a broken answer may take to reach a client that does not read, in milliseconds. */
const LAST_WORDS = 5000;

export const UPSTREAM_BROKE: Refusal = {
  status: 502,
  code: 'upstream_failed',
  message: 'the model stopped in the middle of its answer',
};

/** One request at one replica, its answer streamed to the client as it comes, no faster than the client reads. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;
  readonly #events: AttemptEvents;
  readonly #meter: AnswerMeter;
  #controller: Dispatcher.DispatchController | undefined;
  #answering = false;
  #over = false;
  #isEventStream = false;
  #lastChunk: Buffer = Buffer.alloc(0);

  constructor(res: ServerResponse, events: AttemptEvents, meter: AnswerMeter) {
    this.#res = res;
    this.#events = events;
    this.#meter = meter;
  }

  /** An event may come before this returns. */
  start({ pool, prefix }: Upstream, { path, ...rest }: OutgoingRequest): void {
    pool.dispatch({ ...rest, path: prefix + path }, this);
  }

  /** Stops at once, whatever the phase: the replica sees its connection close. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('the request has ended'));
  }

  /** Makes a truncated answer look truncated: an error event where the client reads events, and never a regular end. */
  breakOff(refusal: Refusal): void {
    this.abort();
    noteError(this.#res, refusal);
    if (!this.#isEventStream || this.#res.writableEnded) {
      this.#res.destroy();
      return;
    }
    const separator = this.#lastChunk.subarray(-2).equals(BLANK_LINE) ? '' : '\n\n';
    this.#res.setTimeout(LAST_WORDS, () => this.#res.destroy());
    this.#res.write(`${separator}data: ${errorBody(refusal)}\n\n`, () => this.#res.destroy());
  }

  /** A connection is there; undici writes the request when this returns. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('the request has ended'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#over || status < 200) return;
    this.#res.writeHead(status, responseHeaders(headers));
    this.#answering = true;
    this.#isEventStream = headers['content-type']?.startsWith('text/event-stream') === true;
    this.#meter.begin(this.#isEventStream);
    this.#res.on('drain', () => {
      controller.resume();
    });
    // The head goes out now, not with the first byte, but in one packet with what came along with it.
    this.#res.cork();
    this.#res.flushHeaders();
    process.nextTick(() => {
      this.#res.uncork();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.#lastChunk = chunk;
    this.#meter.pass(chunk);
    if (!this.#res.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#res.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    if (this.#answering) {
      this.breakOff(UPSTREAM_BROKE);
      this.#events.broken(error);
      return;
    }
    this.#over = true;
    if (this.#controller === undefined) this.#events.untouched(error);
    else this.#events.unanswered(error);
  }
}

const BLANK_LINE = Buffer.from('\n\n');
