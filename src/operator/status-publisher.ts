import { renderPoolStatus } from '../api/cluster/render-pool-status.ts';
import { renderStatus } from '../api/cluster/render-status.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS } from '../api/cluster/resources.ts';
import type { Moment } from '../api/cluster/routed-presets.ts';
import type { PoolSituation } from '../api/cluster/situation.ts';
import { minutes, since, type Instant } from '../domain/units.ts';
import type { EventWriter } from './event-writer.ts';
import { type Situations, situationsOf, type World } from './situations.ts';
import type { StatusWriter } from './status-writer.ts';
import { findTransitions } from './transitions.ts';

/** How often the order of use is written, at most: it changes with every request. */
const LRU_EVERY = minutes(1);

export interface StatusPublisherParts {
  readonly statuses: Pick<StatusWriter, 'write'>;
  readonly events: Pick<EventWriter, 'report'>;
  readonly clock: () => Moment;
}

/** Tells the cluster what becomes of its ModelDeployments and ModelPools: in their statuses and in Events. */
export class StatusPublisher {
  readonly #parts: StatusPublisherParts;
  #told: Situations | undefined;
  /** By uid, when the order of use was last written. */
  #lruTimes: ReadonlyMap<string, Instant> = new Map();

  constructor(parts: StatusPublisherParts) {
    this.#parts = parts;
  }

  /**
   * Called with the whole world whenever any of it may have changed. The first call makes no Events: what it finds has
   * happened before this process began.
   */
  publish(world: World): void {
    const now = situationsOf(world);
    const at = this.#parts.clock();
    this.#writeDeployments(now, at);
    this.#lruTimes = new Map(now.pools.map((pool) => [pool.pool.uid, this.#writePool(pool, at)]));
    if (this.#told !== undefined) this.#parts.events.report(findTransitions(this.#told, now));
    this.#told = now;
  }

  #writeDeployments({ deployments, names }: Situations, at: Moment): void {
    for (const situation of deployments) {
      const { ref, status: previous } = situation.deployment;
      const status = renderStatus(situation, at, (uid) => names.get(uid));
      this.#parts.statuses.write({ resource: MODEL_DEPLOYMENTS, ref, uid: ref.uid, previous, status });
    }
  }

  /** Returns when its order of use was last written. */
  #writePool(situation: PoolSituation, at: Moment): Instant {
    const { name, uid, status: previous } = situation.pool;
    const written = this.#lruTimes.get(uid);
    const isDue = written === undefined || since(written, at.now) >= LRU_EVERY;
    const status = renderPoolStatus(situation, at, isDue);
    const ref = { namespace: undefined, name };
    this.#parts.statuses.write({ resource: MODEL_POOLS, ref, uid, previous, status });
    return status === previous && written !== undefined ? written : at.now;
  }
}
