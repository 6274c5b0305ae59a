import { connect, type Socket } from 'node:net';
import type { Instant } from '../domain/units.ts';
import type { EndOfTurn } from './end-of-turn.ts';
import type { UpstreamLimits } from './limits.ts';
import { requestBytes, type OutgoingRequest, type RequestParts } from './request-bytes.ts';
import { ResponseReader, type ResponseListener } from './response-reader.ts';
import type { SilenceWatch, Watched } from './silence-watch.ts';
import { notBegun, pausedTooLong } from './upstream-failure.ts';

/** Who has sent a request. After `end` or `failed` nothing more comes, and nothing after `destroy`. */
export interface Requester extends ResponseListener {
  /** From here on bytes of the request may reach the replica. */
  sending(): void;
  /** A body that was too large to be copied is with the kernel, or never will be: its bytes are not needed any more. Comes also after the end. */
  written(): void;
  end(): void;
  failed(error: Error): void;
}

/** Where a connection leads, and who is told of it. */
export interface ConnectionParts {
  readonly host: string;
  readonly port: number;
  /** The value of the Host header. */
  readonly authority: string;
  readonly limits: UpstreamLimits;
  readonly now: () => Instant;
  readonly watch: SilenceWatch;
  readonly endOfTurn: Pick<EndOfTurn, 'add'>;
  /** It can be used for another request, now. */
  readonly onIdle: (connection: ReplicaConnection) => void;
  /** It is closed, or will not be used again. Once. */
  readonly onGone: (connection: ReplicaConnection) => void;
}

type Phase =
  | { readonly kind: 'connecting'; readonly work: Work | undefined }
  | { readonly kind: 'idle' }
  /** Nothing is sent yet: at the end of the turn. */
  | { readonly kind: 'sending'; readonly work: Work }
  | { readonly kind: 'busy'; readonly work: Work }
  | { readonly kind: 'gone' };

interface Work {
  readonly request: OutgoingRequest;
  readonly requester: Requester;
  readonly reader: ResponseReader;
}

const IDLE: Phase = { kind: 'idle' };
const GONE: Phase = { kind: 'gone' };

/**
 * A POST that meets a connection which the replica is just closing is lost, and nobody can know whether it was read: it may not
 * be sent again (RFC 9112 section 9.3.1). So we close first. llama-server's HTTP library (cpp-httplib) closes a connection that
 * is idle for 5 s and announces that in each answer (`Keep-Alive: timeout=5`).
 */
const MAX_IDLE = 4000;
/** Taken off what a replica announces, for the way there and for a busy event loop, in milliseconds. */
const IDLE_MARGIN = 2000;
/** After which silence the kernel asks whether a connection is still there, in milliseconds. */
const PROBE_AFTER = 60_000;

/**
 * What all connections read into, one after the other: libuv asks for room, reads, and tells of it in one go, and what is kept of
 * it is copied before that returns. A buffer for each read would be 64 KiB of garbage for each piece of an answer.
 */
const ROOM = Buffer.allocUnsafeSlow(64 * 1024);

/** One connection to a replica: one request after the other, the next one only when the answer before it has been read to its end. */
export class ReplicaConnection implements Watched {
  deadline: number;
  readonly #parts: ConnectionParts;
  readonly #socket: Socket;
  #phase: Phase = { kind: 'connecting', work: undefined };
  #isPaused = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.deadline = parts.now() + parts.limits.connectTimeout;
    this.#socket = this.#open();
    parts.watch.add(this);
  }

  /** Sends a request as soon as there is a connection. Only while it is idle, or new. */
  send(request: OutgoingRequest, requester: Requester): void {
    const work = { request, requester, reader: new ResponseReader(requester) };
    if (this.#phase.kind === 'connecting') this.#phase = { kind: 'connecting', work };
    else this.#sendSoon(work);
  }

  /** From within `body`: reads nothing more until `resume`. The replica's silence is not counted meanwhile. */
  pause(): void {
    this.#isPaused = true;
    this.deadline = Infinity;
  }

  resume(): void {
    if (!this.#isPaused || this.#phase.kind !== 'busy') return;
    this.#isPaused = false;
    this.#countSilence();
    this.#socket.resume();
  }

  /** Closes it at once. Whoever has a request on it is told nothing. */
  destroy(): void {
    if (this.#phase.kind === 'gone') return;
    this.#phase = GONE;
    this.#parts.watch.delete(this);
    this.#socket.destroy();
    this.#parts.onGone(this);
  }

  /** Nothing has come for too long. */
  overdue(): void {
    const { firstByteTimeout, chunkTimeout } = this.#parts.limits;
    if (this.#phase.kind === 'connecting') this.#fail(new Error('no connection in time'));
    else if (this.#phase.kind !== 'busy') this.#fail(new Error('it was idle for too long'));
    else if (this.#phase.work.reader.hasHead) this.#fail(pausedTooLong(chunkTimeout));
    // It counts from the last byte of the request. Until that is sent, the limit of the whole request is what ends it.
    else if (this.#socket.writableLength > 0) this.#awaitHead();
    else this.#fail(notBegun(firstByteTimeout));
  }

  #open(): Socket {
    const { host, port } = this.#parts;
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER,
      onread: { buffer: ROOM, callback: (size) => this.#take(ROOM.subarray(0, size)) },
    });
    socket.on('connect', () => {
      this.#connected();
    });
    socket.on('end', () => {
      this.#fail(new Error('it closed the connection'));
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#fail(new Error('the connection is closed'));
    });
    return socket;
  }

  #connected(): void {
    if (this.#phase.kind !== 'connecting') return;
    const { work } = this.#phase;
    if (work === undefined) this.#rest(undefined);
    else this.#sendSoon(work);
  }

  #sendSoon(work: Work): void {
    const phase: Phase = { kind: 'sending', work };
    this.#phase = phase;
    this.#awaitHead();
    this.#parts.endOfTurn.add(() => {
      if (this.#phase === phase) this.#write(work);
    });
  }

  #awaitHead(): void {
    const { limits, now } = this.#parts;
    this.deadline = limits.firstByteTimeout === 0 ? Infinity : now() + limits.firstByteTimeout;
  }

  #write(work: Work): void {
    try {
      const parts = requestBytes(work.request, this.#parts.authority);
      this.#phase = { kind: 'busy', work };
      work.requester.sending();
      this.#writeTogether(parts, work.requester);
    } catch (error) {
      this.#fail(asError(error));
    }
  }

  #writeTogether([head, body]: RequestParts, requester: Requester): void {
    if (body === undefined) {
      this.#socket.write(head);
      return;
    }
    this.#socket.cork();
    this.#socket.write(head);
    // Also where the connection breaks: with nothing on its way any more.
    this.#socket.write(body, () => {
      requester.written();
    });
    this.#socket.uncork();
  }

  /** False: nothing more is to be read now. */
  #take(bytes: Buffer): boolean {
    if (this.#phase.kind !== 'busy') {
      // Nobody has asked: whatever it is, it must not be taken for the answer to the next request.
      this.#fail(new Error('it sent what nobody has asked for'));
      return false;
    }
    const { work } = this.#phase;
    try {
      const used = work.reader.read(bytes);
      if (work.reader.isWhole) this.#finish(work, used === bytes.length);
      else if (work.reader.hasHead && !this.#isPaused) this.#countSilence();
    } catch (error) {
      this.#fail(asError(error));
    }
    return !this.#isPaused;
  }

  /** From now on, for the next part of an answer. */
  #countSilence(): void {
    this.deadline = this.#parts.now() + this.#parts.limits.chunkTimeout;
  }

  /** The connection is free, or closed, before anybody is told: the next request may go out on it at once. */
  #finish({ request, requester, reader }: Work, isClean: boolean): void {
    if (this.#phase.kind !== 'busy') return;
    const isSent = this.#socket.writableLength === 0;
    if (request.reset || !isClean || !isSent) this.destroy();
    else this.#rest(reader.keepAlive);
    requester.end();
  }

  #rest(announced: number | undefined): void {
    const idle = announced === undefined ? MAX_IDLE : Math.min(MAX_IDLE, announced - IDLE_MARGIN);
    if (idle <= 0) {
      this.destroy();
      return;
    }
    if (this.#isPaused) this.#socket.resume();
    this.#isPaused = false;
    this.deadline = this.#parts.now() + idle;
    this.#phase = IDLE;
    this.#parts.onIdle(this);
  }

  #fail(error: Error): void {
    const phase = this.#phase;
    this.destroy();
    if ('work' in phase) phase.work?.requester.failed(error);
  }
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error('a fault of ours', { cause: thrown });
