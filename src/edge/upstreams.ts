import type { Ledger } from '../activity/ledger.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { milliseconds, type Duration, type Instant } from '../domain/units.ts';
import type { RouteTable } from '../routing/route.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { SilenceWatch } from './silence-watch.ts';
import { Upstream, type UpstreamParts } from './upstream.ts';
import type { UpstreamLimits } from './limits.ts';

/** How often silence is looked at, at the least, in milliseconds. */
const LONGEST_PERIOD = 250;
/** And at the most. */
const SHORTEST_PERIOD = 10;

/**
 * The open connections to replicas: opened when a table first has the replica, closed when it has left the table and
 * serves nobody any more. An idle connection that stays open makes llama-server slow to exit after SIGTERM.
 */
export class Upstreams {
  readonly #ledger: Pick<Ledger, 'inFlight'>;
  readonly #parts: UpstreamParts;
  readonly #open = new Map<ReplicaId, Upstream>();
  readonly #dispatches = new Map<ReplicaId, number>();
  #dispatched = 0;
  #published: ReadonlySet<ReplicaId> = new Set();

  constructor(ledger: Pick<Ledger, 'inFlight'>, limits: UpstreamLimits, now: () => Instant) {
    this.#ledger = ledger;
    this.#parts = { limits, now, watch: new SilenceWatch(now, periodFor(limits)), endOfTurn: new EndOfTurn() };
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
      if (!this.#open.has(replica.id)) this.#open.set(replica.id, new Upstream(replica.endpoint, this.#parts));
    }
    for (const id of this.#open.keys()) this.#closeIfUnused(id, 0);
  }

  /** Call just before a request at the replica ends in the ledger, so that the connections are closed before anybody is told. */
  ending(replica: ReplicaId): void {
    this.#closeIfUnused(replica, 1);
  }

  /** Resolves when every connection is closed; those in use are first used to their end. */
  async close(): Promise<void> {
    const upstreams = [...this.#open.values()];
    this.#open.clear();
    this.#dispatches.clear();
    await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  }

  #closeIfUnused(id: ReplicaId, stillCounted: number): void {
    const upstream = this.#open.get(id);
    if (upstream === undefined || this.#published.has(id) || this.#ledger.inFlight(id) > stillCounted) return;
    this.#open.delete(id);
    this.#dispatches.delete(id);
    // An uncounted look at /slots may finish; idle connections go at once. It does not fail.
    void upstream.close();
  }
}

/** A quarter of the shortest limit: no limit is exceeded by much, and the looks cost nothing. */
function periodFor({ connectTimeout, firstByteTimeout, chunkTimeout }: UpstreamLimits): Duration {
  const limits = [connectTimeout, firstByteTimeout, chunkTimeout].filter((limit) => limit > 0);
  return milliseconds(Math.max(SHORTEST_PERIOD, Math.min(LONGEST_PERIOD, Math.min(...limits) / 4)));
}
