import { Pool } from 'undici';
import type { Ledger } from '../activity/ledger.ts';
import type { ReplicaId } from '../domain/ids.ts';
import type { ReadyReplica, RouteTable } from '../routing/route.ts';

/** Connections to one replica. llama-server must be run with more HTTP threads than this, or idle connections stall others. */
export const MAX_CONNECTIONS = 128;

/** Where one replica answers. */
export interface Upstream {
  readonly pool: Pool;
  readonly prefix: string;
}

/**
 * The open connections to replicas: opened when a table first has the replica, closed when it has left the table and
 * serves nobody any more. An idle connection that stays open makes llama-server slow to exit after SIGTERM.
 */
export class Upstreams {
  readonly #ledger: Pick<Ledger, 'inFlight'>;
  readonly #open = new Map<ReplicaId, Upstream>();
  readonly #dispatches = new Map<ReplicaId, number>();
  #dispatched = 0;
  #published: ReadonlySet<ReplicaId> = new Set();

  constructor(ledger: Pick<Ledger, 'inFlight'>) {
    this.#ledger = ledger;
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
    for (const replica of replicas) if (!this.#open.has(replica.id)) this.#open.set(replica.id, open(replica));
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
 * No timeout on answers: a long prompt takes as long as it takes, the request's own limit bounds it.
 * Idle connections are dropped before the 5 s after which llama-server's HTTP library (cpp-httplib) closes them.
 */
function open({ endpoint }: ReadyReplica): Upstream {
  const pool = new Pool(endpoint.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connectTimeout: 2000,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 4000,
  });
  return { pool, prefix: endpoint.prefix };
}
