import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { ObjectRef } from '../../kube/kube-object.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Log } from '../../platform/log.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import { PodLanes, type Step } from './pod-lanes.ts';
import type { PodOrder } from './pod-order.ts';
import { PodOrders } from './pod-orders.ts';
import { PodRepairs } from './pod-repairs.ts';
import { PodStarts } from './pod-starts.ts';
import { PodWrites, type PodCache } from './pod-writes.ts';
import type { PodTemplate } from './render-pod-template.ts';
import type { Start } from './start.ts';

export interface PodKeeperParts {
  readonly api: KubeApi;
  readonly pods: PodCache;
  readonly lanes: WriteLanes;
  readonly book: PodBook;
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  readonly isToldOf: (pod: PodView) => boolean;
  readonly isLeading: () => boolean;
  readonly isThere: (owner: PodOwner) => Promise<boolean>;
  readonly now: () => Instant;
  readonly log: Log;
  /** Called when pods, starts or orders have changed other than by a call from outside. */
  readonly onChange: () => void;
}

/** Keeps what was ordered of pods, and which are to be made and to be mended, and brings it about. */
export class PodKeeper {
  readonly #parts: PodKeeperParts;
  readonly #starts: PodStarts;
  readonly #orders: PodOrders;
  readonly #repairs: PodRepairs;
  readonly #lanes: PodLanes;

  constructor(parts: PodKeeperParts) {
    const writes = new PodWrites(parts.api, parts.pods, parts.book);
    this.#parts = parts;
    this.#starts = new PodStarts({ ...parts, writes });
    this.#orders = new PodOrders({ ...parts, writes });
    this.#repairs = new PodRepairs({ ...parts, writes });
    this.#lanes = new PodLanes({ ...parts, writes, findStep: (ref) => this.#findStep(ref) });
  }

  starts(): readonly Start[] {
    return this.#starts.all();
  }

  findStart(id: ReplicaId): Start | undefined {
    return this.#starts.find(id);
  }

  addStart(start: Start): void {
    this.#starts.add(start);
    this.#lanes.push(start.pod.metadata);
  }

  orderOf(uid: string): PodOrder | undefined {
    return this.#orders.of(uid);
  }

  /** Of a pod, or of a start. */
  order(id: ReplicaId, order: PodOrder): void {
    const pod = this.#parts.book.find(id)?.pod;
    const start = this.#starts.find(id);
    if (pod !== undefined) this.#orders.give(pod.uid, order);
    if (start !== undefined) this.#starts.order(start, order);
    const ref = pod ?? start?.pod.metadata;
    if (ref !== undefined) this.#lanes.push(ref);
  }

  /** The lowest whose name nothing has: also a pod on its way out keeps its name until it is gone. */
  freeSlot({ namespace, baseName }: PodTemplate): number {
    let slot = 0;
    while (this.#isTaken({ namespace, name: `${baseName}-${slot}` })) slot += 1;
    return slot;
  }

  /** See `PodRepairs`. */
  isAway(uid: string): boolean {
    return this.#repairs.isAway(uid);
  }

  /** When something that others have changed is put back, that was put back lately. */
  repairTimes(): readonly Instant[] {
    return this.#repairs.times();
  }

  /** Looks again at the pods that have failed and were not to be deleted before that was told. */
  reconsiderForgotten(): void {
    for (const pod of this.#orders.forgotten()) this.#lanes.push(pod);
  }

  /** Fits what was ordered to the pods of the last look. */
  settle(): void {
    this.#repairs.prune();
    this.#starts.prune();
    this.#starts.handOver((uid, start) => {
      this.#take(uid, start);
    });
    this.#orders.prune();
    for (const { pod } of this.#starts.all()) this.#lanes.pushIdle(pod.metadata);
    for (const { pod } of this.#parts.book.all()) this.#lanes.pushIdle(pod);
  }

  /** The orders of a start become those of its pod. */
  #take(uid: string, { state, since, pod, preset }: Start): void {
    const { book, log } = this.#parts;
    book.noteOrdered(uid, since);
    if (state.kind === 'close' || state.kind === 'delete')
      this.#orders.give(uid, { ...state, epoch: undefined, isPresumed: false });
    log.info('replica created', { replica: uid, pod: pod.metadata.name, preset: preset.uid });
  }

  #isTaken(ref: ObjectRef): boolean {
    return this.#starts.isNamed(ref) || this.#parts.book.findNamed(ref) !== undefined;
  }

  /** What to do next under a name; `undefined`: nothing now. */
  #findStep(ref: ObjectRef): Step | undefined {
    const known = this.#parts.book.findNamed(ref);
    return known === undefined ? this.#starts.stepFor(ref) : this.#podStep(known);
  }

  #podStep(known: KnownPod): Step | undefined {
    const mending = this.#repairs.stepFor(known);
    return mending !== undefined || known.lostSince !== undefined ? mending : this.#orders.stepFor(known);
  }
}
