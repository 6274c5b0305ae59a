import type { Ledger } from '../activity/ledger.ts';
import { POD_SELECTOR } from '../api/cluster/pod-marks.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { Alarm } from '../domain/alarm.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { memoize } from '../domain/memoize.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import type { RouteBoard } from '../routing/route.ts';
import type { EdgeReplica } from './edge-replica.ts';
import { lookAtRoutes, NOTHING_SEEN, type DeclaredPreset, type RouteLook, type Seen } from './route-look.ts';

/** What a new table means for what is to be reported. */
export interface PublishedNews {
  readonly hasNewAcks: boolean;
  /** Room is waited for in a pool in which none was. */
  readonly isRoomAwaited: boolean;
}

export interface RouteFollowerParts {
  readonly api: KubeApi;
  /** What ModelDeployments and ModelPools declare. */
  readonly readPresets: (deployments: readonly KubeObject[], pools: readonly KubeObject[]) => readonly DeclaredPreset[];
  /** `undefined`: it is no pod of Corral's. */
  readonly readPod: (pod: KubeObject) => PodView | undefined;
  readonly ledger: Ledger;
  readonly board: RouteBoard;
  readonly underOrders: Seen['underOrders'];
  /** A new table is published, and `acks` and `replicasOf` are of the same moment. */
  readonly onPublished: (news: PublishedNews) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Follows ModelDeployments, ModelPools and pods, and publishes a new route table whenever they have changed. A closed gate is
 * obeyed and acknowledged in one tick: from then on no request is sent there.
 */
export class RouteFollower {
  readonly #parts: RouteFollowerParts;
  readonly #deployments: Reflector;
  readonly #pools: Reflector;
  readonly #pods: Reflector;
  /** Once for each state of a pod: all are looked at whenever anything has changed. */
  readonly #readPod: RouteFollowerParts['readPod'];
  /** What the table was made with that is published, or is being so. */
  #seen = NOTHING_SEEN;
  /** Of the same look, once its table is published. */
  #acks = NOTHING_SEEN.acks;
  #contended = NOTHING_SEEN.contended;
  /** What was known last could be made no table of. */
  #isStuck = false;
  #willPublish = false;
  #isFollowing = false;
  readonly #alarm: Alarm;

  constructor(parts: RouteFollowerParts) {
    this.#parts = parts;
    this.#deployments = this.#reflect(MODEL_DEPLOYMENTS);
    this.#pools = this.#reflect(MODEL_POOLS);
    this.#pods = this.#reflect(PODS, POD_SELECTOR);
    this.#readPod = memoize(parts.readPod);
    this.#alarm = new Alarm(parts.timers.wakeIn, () => {
      this.publish();
    });
  }

  /**
   * Resolves when all was listed, by quorum, and the first table is published; or when `stop` came before. Rejects if none can
   * be made: there is no earlier one to go by.
   */
  async start(): Promise<void> {
    const synced = await Promise.all(this.#all().map(async (reflector) => reflector.start()));
    if (synced.includes('stopped')) return;
    this.#isFollowing = true;
    this.#publish(this.#look());
  }

  /** Publishes nothing more. Resolves when nothing is open any more. */
  async stop(): Promise<void> {
    this.#isFollowing = false;
    this.#alarm.stop();
    await Promise.all(this.#all().map(async (reflector) => reflector.stop()));
  }

  /** The API server answers again. */
  retryNow(): void {
    for (const reflector of this.#all()) reflector.retryNow();
  }

  #all(): readonly Reflector[] {
    return [this.#deployments, this.#pools, this.#pods];
  }

  /** Closed gates that the published table obeys, by pod: their epochs. */
  get acks(): ReadonlyMap<ReplicaId, number> {
    return this.#acks;
  }

  /** Presets whose requests are counted. */
  get declared(): Pick<ReadonlyMap<PresetUid, unknown>, 'has' | 'keys'> {
    return this.#seen.declared;
  }

  /** What replicas of a preset serve that are of use to it; `undefined`: it has no route. */
  servesNow(preset: PresetUid): string | undefined {
    return this.#seen.serves.get(preset);
  }

  /** Whether its status tells of a failed load, after which it is not tried again yet. */
  isBackingOff(preset: PresetUid): boolean {
    return this.#seen.backingOff.has(preset);
  }

  replicasOf(preset: PresetUid): readonly EdgeReplica[] {
    const replicas = this.#seen.replicas.get(preset);
    return replicas === undefined ? [] : replicas;
  }

  /** Whether the operator waits to hear that a replica is not in use any more: it drains, or others wait for room where it is. */
  isEndAwaited(preset: PresetUid, replica: ReplicaId): boolean {
    return this.#acks.has(replica) || this.replicasOf(preset).some(({ pool }) => this.#contended.has(pool));
  }

  /**
   * Publishes what is known now. Before `start` has listed everything, nothing is known. What no table can be made of is told, and
   * changes nothing: the last table holds, with what it acknowledges, and it is tried again at the next change.
   */
  publish(): void {
    if (!this.#isFollowing) return;
    const look = this.#tryToLook();
    if (look !== undefined) this.#publish(look);
  }

  #tryToLook(): RouteLook | undefined {
    try {
      const look = this.#look();
      this.#isStuck = false;
      return look;
    } catch (error) {
      if (!this.#isStuck) this.#parts.log.error('the routes could not be made, the last ones hold', { error });
      this.#isStuck = true;
      return undefined;
    }
  }

  #look(): RouteLook {
    const { readPresets, underOrders, timers } = this.#parts;
    return lookAtRoutes({
      presets: readPresets(this.#deployments.objects(), this.#pools.objects()),
      pods: this.#pods.objects().flatMap((object) => this.#readPod(object) ?? []),
      underOrders,
      now: timers.now(),
    });
  }

  #publish(look: RouteLook): void {
    const { ledger, board, onPublished, timers } = this.#parts;
    const { acks, contended } = look;
    const hasNewAcks = [...acks].some(([pod, epoch]) => this.#acks.get(pod) !== epoch);
    const isRoomAwaited = contended.difference(this.#contended).size > 0;
    const now = timers.now();
    this.#seen = look;
    ledger.declare(look.declared.values(), now);
    board.publish(look.table);
    // Only now, and in the same tick: nothing is sent there any more.
    this.#acks = acks;
    this.#contended = contended;
    this.#alarm.setTo(look.until, now);
    onPublished({ hasNewAcks, isRoomAwaited });
  }

  #reflect(resource: Resource, labelSelector?: string): Reflector {
    const { api, log, timers } = this.#parts;
    const scope = labelSelector === undefined ? {} : { labelSelector };
    const onChange = (): void => {
      this.#publishSoon();
    };
    return new Reflector({ api, resource, scope, log, timers, onChange });
  }

  /** Once for all that changes in this turn of the event loop. */
  #publishSoon(): void {
    if (this.#willPublish) return;
    this.#willPublish = true;
    setImmediate(() => {
      this.#willPublish = false;
      this.publish();
    });
  }
}
