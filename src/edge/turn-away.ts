import type { Socket } from 'node:net';
import type { Refusal } from './refusal.ts';

/** Connections that are told why; more are closed without a word, so that telling them costs no more than serving them. */
const MOST_TOLD = 256;
/** How long a connection that is to be told may take to ask for something, in milliseconds. */
const FIRST_WORD = 1000;

export const TOO_MANY_CONNECTIONS: Refusal = {
  status: 503,
  code: 'too_many_connections',
  message: 'there are too many connections to this server, all told or from this address',
  retryAfter: 1,
  close: true,
};

/** Closes connections for which there is no room. No parser is made for them. */
export class TurnAway {
  readonly #words: string;
  readonly #told = new Set<Socket>();

  /** `words`: the whole answer, as it goes over the wire. */
  constructor(words: string) {
    this.#words = words;
  }

  /** Answers the first request of a connection, whatever it is: before one has come, an answer would be taken for garbage. */
  take(socket: Socket): void {
    if (this.#told.size >= MOST_TOLD) {
      socket.destroy();
      return;
    }
    this.#told.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#told.delete(socket));
    socket.setTimeout(FIRST_WORD, () => socket.destroy());
    socket.once('data', () => {
      socket.end(this.#words);
      socket.destroySoon();
    });
  }

  /** Closes those that are still there. */
  close(): void {
    for (const socket of this.#told) socket.destroy();
  }
}
