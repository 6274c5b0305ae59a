import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Answer } from './answer.ts';
import type { Refusal } from './refusal.ts';
import { UpstreamRefusal } from './upstream-refusal.ts';
import type { Sender, Standing, Upstream } from './upstream.ts';

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
  /** The replica answered, but not with the stream that its client has been promised. */
  refused(refusal: Refusal): void;
  /** The answer ended in its middle. Its client has not been told. */
  broken(error: Error): void;
}

/** Where the replica's answer goes. */
type Destination =
  | { readonly kind: 'none' }
  | { readonly kind: 'client' }
  | { readonly kind: 'refusal'; readonly refusal: UpstreamRefusal };

/** One request at one replica, its answer streamed to the client as it comes, no faster than the client reads. */
export class Attempt implements Dispatcher.DispatchHandler, Sender {
  standing: Standing = 'outside';
  readonly #answer: Answer;
  readonly #ownHeaders: readonly string[];
  readonly #events: AttemptEvents;
  readonly #outgoing: OutgoingRequest;
  #upstream: Upstream | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #destination: Destination = { kind: 'none' };
  #over = false;

  /** `ownHeaders`: what we add to the head of the answer, names and values in turn. */
  constructor(outgoing: OutgoingRequest, answer: Answer, ownHeaders: readonly string[], events: AttemptEvents) {
    this.#outgoing = outgoing;
    this.#answer = answer;
    this.#ownHeaders = ownHeaders;
    this.#events = events;
  }

  /** An event may come before this returns. */
  start(upstream: Upstream): void {
    this.#upstream = upstream;
    upstream.enter(this);
  }

  send({ pool, prefix }: Upstream): void {
    const { path, ...rest } = this.#outgoing;
    pool.dispatch({ ...rest, path: prefix + path }, this);
  }

  /** Stops at once, whatever the phase: the replica sees its connection close. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('the request has ended'));
    this.#upstream?.leave(this);
  }

  /** A connection is there; undici writes the request when this returns. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('the request has ended'));
  }

  /** What is thrown here ends the request as one that was not answered. */
  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#over || status < 200) return;
    if (!tellsItsEnd(status, headers)) throw new Error('its answer has neither a length nor chunks');
    const head = { status, headers, own: this.#ownHeaders };
    const isPassedOn = this.#answer.begin(head, () => {
      controller.resume();
    });
    this.#destination = isPassedOn ? { kind: 'client' } : { kind: 'refusal', refusal: new UpstreamRefusal(status) };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#destination.kind !== 'refusal') {
      if (!this.#answer.pass(chunk)) controller.pause();
      return;
    }
    const { refusal } = this.#destination;
    if (refusal.take(chunk)) return;
    this.abort();
    this.#events.refused(refusal.read());
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#destination.kind === 'refusal') this.#events.refused(this.#destination.refusal.read());
    else this.#answer.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    this.#finish();
    if (this.#destination.kind === 'client') this.#events.broken(error);
    else if (this.#destination.kind === 'refusal') this.#events.refused(this.#destination.refusal.read());
    else if (this.#controller === undefined) this.#events.untouched(error);
    else this.#events.unanswered(error);
  }

  #finish(): void {
    this.#over = true;
    this.#upstream?.leave(this);
  }
}

/** Whether an answer that is cut short can be told from one that is whole: not if the connection's end is its end (RFC 9112 section 6.3). */
const tellsItsEnd = (status: number, headers: IncomingHttpHeaders): boolean =>
  status === 204 ||
  status === 304 ||
  headers['content-length'] !== undefined ||
  headers['transfer-encoding']?.toLowerCase() === 'chunked';
