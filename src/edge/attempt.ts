import type { Answer } from './answer.ts';
import type { Refusal } from './refusal.ts';
import type { ReplicaConnection, Requester } from './replica-connection.ts';
import type { OutgoingRequest } from './request-bytes.ts';
import type { ResponseHead } from './response-head.ts';
import { UpstreamRefusal } from './upstream-refusal.ts';
import type { Sender, Standing, Upstream } from './upstream.ts';

/** What comes of an attempt. One of the failures at most is called, once, and none after `abort`. */
export interface AttemptEvents {
  /** A body of more than 64 KiB has been written, or never will be: its bytes are not needed any more. Comes also after the end. */
  written(): void;
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
export class Attempt implements Requester, Sender {
  standing: Standing = 'outside';
  readonly #answer: Answer;
  readonly #ownHeaders: readonly string[];
  readonly #events: AttemptEvents;
  readonly #outgoing: OutgoingRequest;
  #upstream: Upstream | undefined;
  #connection: ReplicaConnection | undefined;
  #isSent = false;
  #destination: Destination = { kind: 'none' };
  /** Goes out together with the end. */
  #last: Buffer | undefined;
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

  send(upstream: Upstream): void {
    const { prefix } = upstream;
    const { path, ...rest } = this.#outgoing;
    const connection = upstream.connection();
    this.#connection = connection;
    connection.send({ ...rest, path: prefix + path }, this);
  }

  /** Stops at once, whatever the phase: the replica sees its connection close. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection?.destroy();
    this.#upstream?.leave(this);
  }

  sending(): void {
    this.#isSent = true;
  }

  written(): void {
    this.#events.written();
  }

  head(head: ResponseHead): void {
    const isPassedOn = this.#answer.begin(head, this.#ownHeaders, () => {
      this.#connection?.resume();
    });
    this.#destination = isPassedOn
      ? { kind: 'client' }
      : { kind: 'refusal', refusal: new UpstreamRefusal(head.status) };
  }

  body(part: Buffer, isLast: boolean): void {
    if (this.#over) return;
    if (this.#destination.kind !== 'refusal') {
      if (isLast) this.#last = part;
      else if (!this.#answer.pass(part)) this.#connection?.pause();
      return;
    }
    const { refusal } = this.#destination;
    if (refusal.take(part)) return;
    this.abort();
    this.#events.refused(refusal.read());
  }

  end(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#destination.kind === 'refusal') this.#events.refused(this.#destination.refusal.read());
    else this.#answer.end(this.#last);
  }

  failed(error: Error): void {
    if (this.#over) return;
    this.#finish();
    if (this.#destination.kind === 'client') this.#events.broken(error);
    else if (this.#destination.kind === 'refusal') this.#events.refused(this.#destination.refusal.read());
    else if (this.#isSent) this.#events.unanswered(error);
    else this.#events.untouched(error);
  }

  /** The connection may serve somebody else by now: nothing is done with it any more. */
  #finish(): void {
    this.#over = true;
    this.#connection = undefined;
    this.#upstream?.leave(this);
  }
}
