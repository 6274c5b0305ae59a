import type { Pool } from 'undici';

/** Connections to one replica. llama-server must be run with more HTTP threads than this, or idle connections stall others. */
export const MAX_CONNECTIONS = 128;

/** Where a request stands with its upstream. */
export type Standing = 'outside' | 'in line' | 'sending';

/** A request that wants a connection. */
export interface Sender {
  /** Begins as `outside`; for its upstream to change. Kept here, because a set of all that send makes garbage that lives long. */
  standing: Standing;
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
  #sending = 0;
  readonly #line = new Set<Sender>();

  constructor(pool: Pool, prefix: string) {
    this.pool = pool;
    this.prefix = prefix;
  }

  /** Has it send, now or when it is its turn. */
  enter(sender: Sender): void {
    if (this.#sending < MAX_CONNECTIONS) {
      this.#count(sender);
      sender.send(this);
      return;
    }
    sender.standing = 'in line';
    this.#line.add(sender);
  }

  /** It is done, or gives up. One that is not here changes nothing. */
  leave(sender: Sender): void {
    const { standing } = sender;
    sender.standing = 'outside';
    if (standing === 'in line') this.#line.delete(sender);
    if (standing !== 'sending') return;
    this.#sending -= 1;
    if (this.#line.size > 0) this.#callNext();
  }

  #callNext(): void {
    const [next] = this.#line;
    if (next === undefined) return;
    this.#line.delete(next);
    this.#count(next);
    // Not within the callback of undici's parser in which the one before has ended.
    queueMicrotask(() => {
      if (next.standing === 'sending') next.send(this);
    });
  }

  #count(sender: Sender): void {
    this.#sending += 1;
    sender.standing = 'sending';
  }
}
