import { Pool } from 'undici';
import type { Ledger } from '../activity/ledger.ts';
import type { ReplicaId } from '../domain/ids.ts';
import type { ReadyReplica, RouteTable } from '../routing/route.ts';
import type { EdgeLimits } from './limits.ts';
import { MAX_CONNECTIONS, Upstream } from './upstream.ts';

/** How long a replica may be silent, by phase. */
export type UpstreamLimits = Pick<EdgeLimits, 'connectTimeout' | 'firstByteTimeout' | 'chunkTimeout'>;

/**
 * The open connections to replicas: opened when a table first has the replica, closed when it has left the table and
 * serves nobody any more. An idle connection that stays open makes llama-server slow to exit after SIGTERM.
 */
export class Upstreams {
  readonly #ledger: Pick<Ledger, 'inFlight'>;
  readonly #limits: UpstreamLimits;
  readonly #open = new Map<ReplicaId, Upstream>();
  readonly #dispatches = new Map<ReplicaId, number>();
  #dispatched = 0;
  #published: ReadonlySet<ReplicaId> = new Set();

  constructor(ledger: Pick<Ledger, 'inFlight'>, limits: UpstreamLimits) {
    this.#ledger = ledger;
    this.#limits = limits;
  }

  find(replica: ReplicaId): Upstream | undefined {
    return this.#open.get(replica);
  }

  /** As `find`, for a request that goes there now. */
  dispatchTo(replica: ReplicaId): Upstream | undefined {
    const upstream = this.#open.get(replica);
    if (upstream === undefined) return undefined;
    this.#dispatched += 1;
    this.#dispatches.set(replica, this.#dispatched);
    return upstream;
  }

  /** The number of the last dispatch to a replica, counted over all; 0: there was none. */
  lastDispatch(replica: ReplicaId): number {
    const number = this.#dispatches.get(replica);
    return number === undefined ? 0 : number;
  }

  /** Follows a new table. */
  publish(table: RouteTable): void {
    const replicas = table.routes.flatMap((route) => route.replicas);
    this.#published = new Set(replicas.map(({ id }) => id));
    for (const replica of replicas) {
      if (!this.#open.has(replica.id)) this.#open.set(replica.id, open(replica, this.#limits));
    }
    for (const id of this.#open.keys()) this.#closeIfUnused(id, 0);
  }

  /** Call just before a request at the replica ends in the ledger, so that the connections are closed before anybody is told. */
  ending(replica: ReplicaId): void {
    this.#closeIfUnused(replica, 1);
  }

  /** Resolves when every connection is closed; those in use are first used to their end. */
  async close(): Promise<void> {
    const pools = [...this.#open.values()].map(({ pool }) => pool);
    this.#open.clear();
    this.#dispatches.clear();
    await Promise.all(pools.map(async (pool) => pool.close()));
  }

  #closeIfUnused(id: ReplicaId, stillCounted: number): void {
    const upstream = this.#open.get(id);
    if (upstream === undefined || this.#published.has(id) || this.#ledger.inFlight(id) > stillCounted) return;
    this.#open.delete(id);
    this.#dispatches.delete(id);
    // Closing (not destroying) lets an uncounted look at /slots finish; idle connections go at once. It does not fail.
    void upstream.pool.close();
  }
}

/**
 * undici keeps one coarse timer (about half a second) for each connection, which costs next to nothing for each piece of an
 * answer; while a slow client makes us pause, a replica's silence is not counted.
 *
 * A POST that meets a connection which the replica is just closing is lost, and nobody can know whether it was read: it may not
 * be sent again (RFC 9112 section 9.3.1). So we close first. llama-server's HTTP library (cpp-httplib) closes a connection that
 * is idle for 5 s and announces that in each answer (`Keep-Alive: timeout=5`); undici takes 2 s off the announcement, and
 * without one drops it after 4 s. That an answer is the last of its connection is announced too (`Connection: close`).
 */
function open(
  { endpoint }: ReadyReplica,
  { connectTimeout, firstByteTimeout, chunkTimeout }: UpstreamLimits,
): Upstream {
  const pool = new Pool(endpoint.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connectTimeout,
    headersTimeout: firstByteTimeout,
    bodyTimeout: chunkTimeout,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 4000,
  });
  return new Upstream(pool, endpoint.prefix);
}
