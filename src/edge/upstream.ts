import type { Endpoint } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import type { EndOfTurn } from './end-of-turn.ts';
import { ReplicaConnection, type ConnectionParts } from './replica-connection.ts';
import type { SilenceWatch } from './silence-watch.ts';
import type { UpstreamLimits } from './limits.ts';

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

/** What the connections to all replicas share. */
export interface UpstreamParts {
  readonly limits: UpstreamLimits;
  readonly now: () => Instant;
  readonly watch: SilenceWatch;
  readonly endOfTurn: EndOfTurn;
}

/**
 * Where one replica answers. As many requests as there are connections are there at once, the others stand in line, which they
 * can leave.
 */
export class Upstream {
  /** Stands before every path. */
  readonly prefix: string;
  readonly #connectionParts: ConnectionParts;
  #sending = 0;
  readonly #line = new Set<Sender>();
  /** The one that was used last is the last one: the others get the time to grow too old. */
  readonly #idle: ReplicaConnection[] = [];
  #open = 0;
  #closed: PromiseWithResolvers<undefined> | undefined;

  /** `endpoint.origin` is `http://HOST:PORT`. */
  constructor({ origin, prefix }: Endpoint, parts: UpstreamParts) {
    this.prefix = prefix;
    const { hostname, port, host } = new URL(origin);
    this.#connectionParts = {
      ...parts,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : Number(port),
      authority: host,
      onIdle: (connection) => {
        this.#keep(connection);
      },
      onGone: (connection) => {
        this.#forget(connection);
      },
    };
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

  /** A connection for a sender whose turn it is. */
  connection(): ReplicaConnection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    this.#open += 1;
    return new ReplicaConnection(this.#connectionParts);
  }

  /** Idle connections are closed now, those in use when they are idle. Resolves when all are. */
  async close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<undefined>();
    for (const connection of this.#idle.splice(0)) connection.destroy();
    if (this.#open === 0) this.#closed.resolve(undefined);
    await this.#closed.promise;
  }

  #keep(connection: ReplicaConnection): void {
    if (this.#closed === undefined) this.#idle.push(connection);
    else connection.destroy();
  }

  #forget(connection: ReplicaConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#open -= 1;
    if (this.#open === 0) this.#closed?.resolve(undefined);
  }

  #callNext(): void {
    const [next] = this.#line;
    if (next === undefined) return;
    this.#line.delete(next);
    this.#count(next);
    // Not within the callback in which the one before has ended.
    queueMicrotask(() => {
      if (next.standing === 'sending') next.send(this);
    });
  }

  #count(sender: Sender): void {
    this.#sending += 1;
    sender.standing = 'sending';
  }
}
