import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { Alarm, type WakeIn } from '../../domain/alarm.ts';
import { assertNever } from '../../domain/assert-never.ts';
import type { BinName, PoolName, PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Replica, ReplicaState } from '../../domain/replica.ts';
import { earliest, type Duration, type Instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Action } from '../../planner/action.ts';
import type { Log } from '../../platform/log.ts';
import type { Backend } from '../backend.ts';
import type { SlotLook } from './look-at-slots.ts';
import { NodeWords } from './node-words.ts';
import { PodBook } from './pod-book.ts';
import { PodKeeper } from './pod-keeper.ts';
import type { PodOrder } from './pod-order.ts';
import { PodStates } from './pod-states.ts';
import type { PodCache } from './pod-writes.ts';
import type { PodTemplate } from './render-pod-template.ts';
import { ClosedGates, gateOf, type ReplicaGate } from './replica-gate.ts';
import { observeStart, orderStart, startDeadline, withoutTemplate } from './start.ts';

/** What the backend works with. */
export interface KubernetesBackendParts {
  readonly api: KubeApi;
  /** Follows `POD_SELECTOR`. It must be synced before the first order, and call `podsChanged` after each change. */
  readonly pods: PodCache;
  readonly lanes: WriteLanes;
  /** What a preset's pods are made from; `undefined`: nobody declares it. */
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  /** One that stands by follows the pods, and puts nothing back that others change of them. */
  readonly isLeading: () => boolean;
  /** Whether a ModelDeployment is there to stay, read from the API server: asked before each pod is made. */
  readonly isThere: (owner: PodOwner) => Promise<boolean>;
  /** Whether the failure of a pod is written where another operator finds it: it is not deleted before. */
  readonly isToldOf: (pod: PodView) => boolean;
  /** Whether the pods of a ModelDeployment (by its uid) are to go on without it: then they are none of Corral's any more. */
  readonly isLetGo: (ownerUid: string) => boolean;
  /** The edges without whose word a replica that is stopped now is stopped; none: all have spoken. */
  readonly unheard: (replica: ReplicaId) => readonly string[];
  /** Asks a pod's own llama-server whether it is in use; see `lookAtSlots`. */
  readonly lookAt: (pod: PodView) => Promise<SlotLook>;
  /** A replica is being stopped without the word of these edges. */
  readonly onPresumed: (replica: ReplicaId, edges: readonly string[]) => void;
  readonly unschedulableAfter: (pool: PoolName) => Duration;
  /** How long the last load of a preset took, as a status says; `undefined`: none does. */
  readonly lastLoad: (preset: PresetUid) => Duration | undefined;
  readonly now: () => Instant;
  readonly wakeIn: WakeIn;
  readonly log: Log;
}

/**
 * Runs replicas as pods that it owns directly. An order is noted and counts at once; what it takes at the API server is
 * written in the background, and for as long as it takes.
 */
export class KubernetesBackend implements Backend {
  readonly #parts: KubernetesBackendParts;
  readonly #book = new PodBook();
  readonly #keeper: PodKeeper;
  readonly #listeners: (() => void)[] = [];
  readonly #gates = new ClosedGates();
  /** What could not even be ordered. */
  readonly #refused = new Map<ReplicaId, Replica>();
  readonly #nodeWords: NodeWords;
  readonly #states: PodStates;
  readonly #alarm: Alarm;

  constructor(parts: KubernetesBackendParts) {
    this.#parts = parts;
    const onChange = (): void => {
      this.podsChanged();
    };
    this.#keeper = new PodKeeper({ ...parts, book: this.#book, onChange });
    this.#nodeWords = new NodeWords({ ...parts, onChange });
    this.#states = new PodStates({ ...parts, keeper: this.#keeper, nodeWords: this.#nodeWords });
    this.#alarm = new Alarm(parts.wakeIn, onChange);
  }

  observe(): readonly Replica[] {
    const now = this.#parts.now();
    this.#look(now);
    const pods = this.#book.all().flatMap((known) => this.#states.replicaOf(known, now) ?? []);
    return [...pods, ...this.#keeper.starts().map((start) => observeStart(start, now)), ...this.#refused.values()];
  }

  apply(action: Action): void {
    switch (action.kind) {
      case 'start':
        this.#start(action.preset, action.bin);
        return;
      case 'drain':
        this.#drain(action.replica, action.cause);
        return;
      case 'cancel':
        this.#cancel(action.replica);
        return;
      case 'stop':
        this.#stop(action.replica);
        return;
      default:
        assertNever(action);
    }
  }

  forget(id: ReplicaId): void {
    this.#refused.delete(id);
    if (this.#find(id)?.kind !== 'failed') return;
    this.#order(id, { kind: 'forget', since: this.#parts.now() });
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  /** Calls back when the API server has taken the closing of a replica's gate, or when one is found closed. */
  onGateClosed(callback: (replica: ReplicaId, epoch: number) => void): void {
    this.#gates.onClosed(callback);
  }

  /** `undefined`: there is no such pod, or its gate says nothing that Corral writes. */
  gateOf(id: ReplicaId): ReplicaGate | undefined {
    const pod = this.#book.find(id)?.pod;
    return pod === undefined ? undefined : gateOf(pod, this.#keeper.orderOf(id));
  }

  /** Asks the replica's own llama-server. Of a pod that is not known nothing is. */
  async lookAtSlots(id: ReplicaId): Promise<SlotLook> {
    const pod = this.#book.find(id)?.pod;
    return pod === undefined ? 'unknown' : this.#parts.lookAt(pod);
  }

  /** Why no node takes a replica's pod, as the scheduler says; `undefined`: one does, or it has not said. */
  schedulerWords(id: ReplicaId): string | undefined {
    return this.#book.find(id)?.pod.unschedulable;
  }

  /** To be called when `isToldOf` may say something else. */
  failuresTold(): void {
    this.#keeper.reconsiderForgotten();
  }

  /** Nothing is timed any more, also when a write is answered later. What is written is for the lanes to end. */
  close(): void {
    this.#alarm.stop();
  }

  /** To be called when the cluster's pods have changed. */
  podsChanged(): void {
    const now = this.#parts.now();
    this.#look(now);
    this.#gates.tell(this.#book);
    // Where nobody plans, nobody needs to know.
    if (this.#listeners.length > 0) this.#nodeWords.look(this.#book.all());
    this.#sleep(now);
    for (const listener of this.#listeners) listener();
  }

  #start(preset: Preset, bin: BinName): void {
    const template = this.#parts.templates(preset.uid);
    if (template === undefined) {
      // The catalog and the templates are made together, so that this is a fault of whoever has made them; it shows as one.
      const replica = withoutTemplate(preset, bin, this.#parts.now());
      this.#refused.set(replica.id, replica);
      return;
    }
    const slot = this.#keeper.freeSlot(template);
    const start = orderStart({ preset, template, slot, bin, since: this.#parts.now() });
    this.#keeper.addStart(start);
    this.#parts.log.info('replica ordered', { replica: start.id, preset: preset.uid });
    this.#sleep(start.since);
  }

  #drain(id: ReplicaId, cause: DrainCause): void {
    const kind = this.#find(id)?.kind;
    if (kind !== 'starting' && kind !== 'ready') return;
    this.#order(id, { kind: 'close', since: this.#parts.now(), cause });
    this.#parts.log.info('replica draining', { replica: id, cause: cause.kind });
  }

  #cancel(id: ReplicaId): void {
    if (this.#find(id)?.kind !== 'draining') return;
    this.#order(id, { kind: 'open', since: this.#parts.now() });
    this.#parts.log.info('replica drains no more', { replica: id });
  }

  #stop(id: ReplicaId): void {
    const state = this.#find(id);
    if (state?.kind !== 'draining') return;
    const gate = this.#book.find(id)?.pod.gate;
    const epoch = gate?.closed === true ? gate.epoch : undefined;
    const edges = this.#parts.unheard(id);
    const isPresumed = edges.length > 0;
    this.#order(id, { kind: 'delete', since: this.#parts.now(), cause: state.cause, epoch, isPresumed });
    this.#parts.log.info('replica stopping', { replica: id, cause: state.cause.kind });
    if (isPresumed) this.#parts.onPresumed(id, edges);
  }

  #order(id: ReplicaId, order: PodOrder): void {
    this.#keeper.order(id, order);
    this.#sleep(this.#parts.now());
  }

  /** Takes in what the copy of the cluster's pods has now, which may be more than was told. */
  #look(now: Instant): void {
    this.#book.look(this.#parts.pods.objects(), now, this.#parts.isLetGo);
    this.#keeper.settle();
  }

  #find(id: ReplicaId): ReplicaState | undefined {
    const now = this.#parts.now();
    const known = this.#book.find(id);
    if (known !== undefined) return this.#states.stateOf(known, now);
    const start = this.#keeper.findStart(id);
    return start === undefined ? undefined : observeStart(start, now).state;
  }

  /** Until the next moment at which something has taken too long, or is to be looked into. */
  #sleep(now: Instant): void {
    const pods = this.#book.all();
    const times = [
      ...pods.flatMap((known) => this.#states.timesOf(known)),
      ...this.#nodeWords.timesOf(pods),
      ...this.#keeper.starts().map(startDeadline),
      ...this.#keeper.repairTimes(),
    ];
    this.#alarm.setTo(earliest(times.filter((at) => at > now)), now);
  }
}
