import type { ClusterDeployment, ClusterPool } from '../api/cluster/decode-objects.ts';
import { renderPoolStatus } from '../api/cluster/render-pool-status.ts';
import { renderStatus } from '../api/cluster/render-status.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS } from '../api/cluster/resources.ts';
import type { ModelDeploymentStatus } from '../api/model-deployment-schema.ts';
import type { ModelPoolStatus } from '../api/model-pool-schema.ts';
import type { Moment } from '../api/cluster/routed-presets.ts';
import type { PoolSituation } from '../api/cluster/situation.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import { replicaId } from '../domain/ids.ts';
import { after, milliseconds, minutes, seconds, since, type Duration, type Instant } from '../domain/units.ts';
import { inSlices } from '../platform/in-slices.ts';
import { differsInWords } from './differs-in-words.ts';
import type { EventWriter } from './event-writer.ts';
import { type Situations, situationsOf, type World } from './situations.ts';
import type { StatusWriter } from './status-writer.ts';
import { findTransitions } from './transitions.ts';

/** For how long telling holds everything else up at a time: of a thousand ModelDeployments all are told of at a start. */
const LONGEST_SLICE = milliseconds(10);

/** How often the order of use is written, at most: it changes with every request. */
const LRU_EVERY = minutes(1);

/**
 * How often it is written why presets wait, at most, while nothing else of their ModelDeployment changes. With more models than room
 * it changes for all that wait whenever one of them is served.
 */
const WORDS_EVERY = seconds(2);

/** Each is the object itself where nothing newer is known, also if it is gone. */
export interface Newest {
  readonly deployment: (decided: ClusterDeployment) => ClusterDeployment;
  readonly pool: (decided: ClusterPool) => ClusterPool;
}

export interface StatusPublisherParts {
  readonly statuses: Pick<StatusWriter, 'write' | 'isPending'>;
  readonly events: Pick<EventWriter, 'report'>;
  /** What is known now of an object that was decided about: the answer to a write may have come since. */
  readonly newest: Newest;
  readonly clock: () => Moment;
  /** Statuses follow on what was decided. Resolves when that has had its turn, and they may be written. */
  readonly giveWay: () => Promise<void>;
  /** There will be something to write after this, whether or not anything changes until then. */
  readonly publishIn: (delay: Duration) => void;
}

/** Tells the cluster what becomes of its ModelDeployments and ModelPools: in their statuses and in Events. */
export class StatusPublisher {
  readonly #parts: StatusPublisherParts;
  /** What was looked at last: what happens between two looks is an Event. */
  #seen: Situations | undefined;
  /** It is still to be written. */
  #due: Situations | undefined;
  #writing: Promise<void> | undefined;
  /** What was looked at when the statuses that are written, or on their way, were last gone through. */
  #told: Situations | undefined;
  /** By uid, the statuses that are on their way: what comes next follows on them, and not on what the objects say until then. */
  readonly #deployments = new Map<string, ModelDeploymentStatus>();
  readonly #pools = new Map<string, ModelPoolStatus>();
  /** Those whose own status says all that there was to tell. */
  readonly #upToDate = new WeakSet<ClusterDeployment>();
  /** By uid, when a status was last written, as far as that is a moment ago. */
  readonly #recent = new Map<string, Instant>();
  /** The uids of those that are told of something else than what they are like. */
  readonly #behind = new Set<string>();
  /** By uid, when the order of use was last written. */
  #lruTimes: ReadonlyMap<string, Instant> = new Map();

  constructor(parts: StatusPublisherParts) {
    this.#parts = parts;
  }

  /**
   * Called with the whole world whenever any of it may have changed. The first call makes no Events: what it finds has happened
   * before this process began. Events are made at once; where many statuses are to be rendered, others have their turns
   * meanwhile, and what a later call finds is written next. Resolves when everything that was found is written, or on its way.
   */
  async publish(world: World): Promise<void> {
    const now = situationsOf(world, this.#seen);
    if (this.#seen !== undefined) this.#parts.events.report(findTransitions(this.#seen, now));
    this.#seen = now;
    this.#due = now;
    this.#writing ??= this.#writeDue();
    await this.#writing;
  }

  async #writeDue(): Promise<void> {
    while (this.#due !== undefined) {
      await this.#parts.giveWay();
      await this.#writeNewest();
    }
    this.#writing = undefined;
  }

  async #writeNewest(): Promise<void> {
    const now = this.#due;
    this.#due = undefined;
    if (now === undefined) return;
    const at = this.#parts.clock();
    this.#forget(at.now);
    await inSlices(this.#writeDeployments(now, at), () => this.#parts.clock().now, LONGEST_SLICE);
    this.#lruTimes = new Map(now.pools.map((pool) => [pool.pool.uid, this.#writePool(pool, at)]));
    this.#told = now;
  }

  /** Whether the API server has been told that this pod has failed, for whoever leads next. */
  hasToldFailure({ uid, preset, ownerUid }: Pick<PodView, 'uid' | 'preset' | 'ownerUid'>): boolean {
    const told = this.#told?.presets.get(preset)?.lastFailure?.pods;
    return told?.includes(replicaId(uid)) === true && !this.#parts.statuses.isPending(ownerUid);
  }

  /** What has arrived, or was refused, and what was written a while ago. */
  #forget(now: Instant): void {
    const { statuses } = this.#parts;
    for (const onTheWay of [this.#deployments, this.#pools])
      for (const uid of onTheWay.keys()) if (!statuses.isPending(uid)) onTheWay.delete(uid);
    for (const [uid, written] of this.#recent) if (after(written, WORDS_EVERY) <= now) this.#recent.delete(uid);
  }

  *#writeDeployments({ deployments, names }: Situations, at: Moment): Generator<undefined, undefined> {
    const behind = new Set(this.#behind);
    this.#behind.clear();
    for (const situation of deployments) {
      yield;
      const { ref } = situation.deployment;
      const newest = this.#parts.newest.deployment(situation.deployment);
      const onTheWay = this.#deployments.get(ref.uid);
      const isTold = onTheWay !== undefined || this.#upToDate.has(newest);
      if (isTold && !behind.has(ref.uid) && this.#told?.byUid.get(ref.uid) === situation) continue;
      const before = onTheWay ?? newest.status;
      const deployment = { ...situation.deployment, status: before };
      const status = renderStatus({ ...situation, deployment }, at, (uid) => names.get(uid));
      if (status === newest.status) this.#upToDate.add(newest);
      if (before !== undefined && (status === before || this.#canWait(ref.uid, before, status))) continue;
      this.#deployments.set(ref.uid, status);
      this.#recent.set(ref.uid, at.now);
      this.#parts.statuses.write({ resource: MODEL_DEPLOYMENTS, ref, uid: ref.uid, status });
    }
    return undefined;
  }

  /** It is written later, with what is true then. */
  #canWait(uid: string, before: ModelDeploymentStatus, status: ModelDeploymentStatus): boolean {
    if (!this.#recent.has(uid) || !differsInWords(before, status)) return false;
    if (this.#behind.size === 0) this.#parts.publishIn(WORDS_EVERY);
    this.#behind.add(uid);
    return true;
  }

  /** Returns when its order of use was last written. */
  #writePool(situation: PoolSituation, at: Moment): Instant {
    const pool = this.#parts.newest.pool(situation.pool);
    const written = this.#lruTimes.get(pool.uid);
    const isDue = written === undefined || since(written, at.now) >= LRU_EVERY;
    const onTheWay = this.#pools.get(pool.uid);
    const before = onTheWay ?? pool.status;
    const status = renderPoolStatus({ ...situation, pool: { ...situation.pool, status: before } }, at, isDue);
    if (status === before) return written === undefined ? at.now : written;
    this.#pools.set(pool.uid, status);
    const ref = { namespace: undefined, name: pool.name };
    this.#parts.statuses.write({ resource: MODEL_POOLS, ref, uid: pool.uid, status });
    return at.now;
  }
}
