import type { Ledger } from '../activity/ledger.ts';
import { POD_SELECTOR } from '../api/cluster/pod-marks.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { Alarm } from '../domain/alarm.ts';
import type { PoolName, PresetUid, ReplicaId } from '../domain/ids.ts';
import { replicaId } from '../domain/ids.ts';
import { earliest } from '../domain/units.ts';
import { isLackOfRoom } from '../domain/wait-reason.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { buildRouteTable } from '../routing/build-route-table.ts';
import type { RouteBoard, RoutedPreset } from '../routing/route.ts';
import type { Standing } from '../routing/standing.ts';
import { edgeReplica, type EdgeReplica } from './edge-replica.ts';

/** A preset whose names reach it, and how it stands. */
export interface DeclaredPreset {
  readonly preset: RoutedPreset;
  readonly standing: Standing;
}

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
  /** How a preset stands, with what clients have ordered here and its status may not say yet. */
  readonly underOrders: (preset: PresetUid, told: Standing) => Standing;
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
  #declared: ReadonlySet<PresetUid> = new Set();
  #backingOff: ReadonlySet<PresetUid> = new Set();
  #replicas: ReadonlyMap<PresetUid, readonly EdgeReplica[]> = new Map();
  #acks: ReadonlyMap<ReplicaId, number> = new Map();
  /** Pools in which somebody waits for room, as the operator has written. */
  #contended: ReadonlySet<PoolName> = new Set();
  #willPublish = false;
  #isFollowing = false;
  readonly #alarm: Alarm;

  constructor(parts: RouteFollowerParts) {
    this.#parts = parts;
    this.#deployments = this.#reflect(MODEL_DEPLOYMENTS);
    this.#pools = this.#reflect(MODEL_POOLS);
    this.#pods = this.#reflect(PODS, POD_SELECTOR);
    this.#alarm = new Alarm(parts.timers.wakeIn, () => {
      this.publish();
    });
  }

  /** Resolves when all was listed, by quorum, and the first table is published; or when `stop` came before. */
  async start(): Promise<void> {
    const synced = await Promise.all(this.#all().map(async (reflector) => reflector.start()));
    if (synced.includes('stopped')) return;
    this.#isFollowing = true;
    this.publish();
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
  get declared(): ReadonlySet<PresetUid> {
    return this.#declared;
  }

  /** Whether its status tells of a failed load, after which it is not tried again yet. */
  isBackingOff(preset: PresetUid): boolean {
    return this.#backingOff.has(preset);
  }

  replicasOf(preset: PresetUid): readonly EdgeReplica[] {
    const replicas = this.#replicas.get(preset);
    return replicas === undefined ? [] : replicas;
  }

  /** Whether the operator waits to hear that a replica is not in use any more: it drains, or others wait for room where it is. */
  isEndAwaited(preset: PresetUid, replica: ReplicaId): boolean {
    return this.#acks.has(replica) || this.replicasOf(preset).some(({ pool }) => this.#contended.has(pool));
  }

  /** Publishes what is known now. Before `start` has listed everything, nothing is known. */
  publish(): void {
    if (!this.#isFollowing) return;
    const { readPresets, readPod, ledger, board, onPublished, timers } = this.#parts;
    const now = timers.now();
    const presets = readPresets(this.#deployments.objects(), this.#pools.objects());
    const pods = this.#pods.objects().flatMap((object) => readPod(object) ?? []);
    const replicas = pods.flatMap((pod) => edgeReplica(pod, now) ?? []);
    this.#replicas = Map.groupBy(replicas, ({ preset }) => preset);
    this.#declared = new Set([...presets.map(({ preset }) => preset.uid), ...this.#replicas.keys()]);
    this.#backingOff = new Set(
      presets.flatMap(({ preset, standing }) => (standing.backOff === undefined ? [] : [preset.uid])),
    );
    const acks = new Map(pods.flatMap(acknowledge));
    const hasNewAcks = [...acks].some(([pod, epoch]) => this.#acks.get(pod) !== epoch);
    const contended = new Set(presets.filter(waitsForRoom).map(({ preset }) => preset.pool));
    const isRoomAwaited = contended.difference(this.#contended).size > 0;
    const scalings = new Map(presets.map(({ preset }) => [preset.uid, preset.scaling]));
    ledger.declare(
      [...this.#declared].map((uid) => ({ uid, scaling: scalings.get(uid) })),
      now,
    );
    board.publish(buildRouteTable(presets.map((declared) => this.#source(declared))));
    // Only now, and in the same tick: nothing is sent there any more.
    this.#acks = acks;
    this.#contended = contended;
    // A back-off ends by itself.
    const ends = presets.flatMap(({ standing }) => standing.backOff?.retryAt ?? []);
    this.#alarm.setTo(earliest(ends.filter((at) => at > now)), now);
    onPublished({ hasNewAcks, isRoomAwaited });
  }

  #source({ preset, standing }: DeclaredPreset): DeclaredPreset & { readonly replicas: readonly EdgeReplica[] } {
    const { uid } = preset;
    return { preset, standing: this.#parts.underOrders(uid, standing), replicas: this.replicasOf(uid) };
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

const waitsForRoom = ({ standing: { waitsFor } }: DeclaredPreset): boolean =>
  waitsFor !== undefined && isLackOfRoom(waitsFor.reason);

const acknowledge = ({ uid, gate }: PodView): [ReplicaId, number][] =>
  gate?.closed === true ? [[replicaId(uid), gate.epoch]] : [];
