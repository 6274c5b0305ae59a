import type { Pool } from 'undici';

/** Connections to one replica. llama-server must be run with more HTTP threads than this, or idle connections stall others. */
export const MAX_CONNECTIONS = 128;

/** A request that wants a connection. */
export interface Sender {
  /** There is one for it. */
  send(upstream: Upstream): void;
}

/**
 * Where one replica answers. As many requests as there are connections are there at once, the others stand in line. The line is
 * ours and not undici's, because nobody can leave undici's: a request whose client has left would keep its body in memory until
 * its turn, and then cost a connection.
 */
export class Upstream {
  readonly pool: Pool;
  /** Stands before every path. */
  readonly prefix: string;
  readonly #sending = new Set<Sender>();
  readonly #line = new Set<Sender>();

  constructor(pool: Pool, prefix: string) {
    this.pool = pool;
    this.prefix = prefix;
  }

  /** Has it send, now or when it is its turn. */
  enter(sender: Sender): void {
    if (this.#sending.size >= MAX_CONNECTIONS) {
      this.#line.add(sender);
      return;
    }
    this.#sending.add(sender);
    sender.send(this);
  }

  /** It is done, or gives up. One that is not here changes nothing. */
  leave(sender: Sender): void {
    this.#line.delete(sender);
    if (!this.#sending.delete(sender)) return;
    const [next] = this.#line;
    if (next === undefined) return;
    this.#line.delete(next);
    this.#sending.add(next);
    // Not within the callback of undici's parser in which the one before has ended.
    queueMicrotask(() => {
      if (this.#sending.has(next)) next.send(this);
    });
  }
}
