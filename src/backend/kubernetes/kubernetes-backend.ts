import { randomBytes } from 'node:crypto';
import type { Gate } from '../../api/cluster/pod-marks.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { assertNever } from '../../domain/assert-never.ts';
import { poolName, replicaId, type BinName, type PoolName, type PresetUid, type ReplicaId } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Replica, ReplicaState } from '../../domain/replica.ts';
import { earliest, since, type Duration, type Instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Action } from '../../planner/action.ts';
import type { Log } from '../../platform/log.ts';
import type { Backend } from '../backend.ts';
import { hasEnded } from './find-pod-failure.ts';
import { deadlineOf, observePod, type PodLimits } from './observe-pod.ts';
import { PodBook, type KnownPod } from './pod-book.ts';
import { PodKeeper } from './pod-keeper.ts';
import { asOrdered, type PodOrder } from './pod-order.ts';
import type { PodCache } from './pod-writes.ts';
import type { PodTemplate } from './render-pod-template.ts';
import { observeStart, refused, startDeadline, startId, type Start } from './start.ts';

/** What the backend works with. */
export interface KubernetesBackendParts {
  readonly api: KubeApi;
  /** Follows `POD_SELECTOR`. It must be synced before the first order, and call `podsChanged` after each change. */
  readonly pods: PodCache;
  readonly lanes: WriteLanes;
  /** What a preset's pods are made from; `undefined`: nobody declares it. */
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  readonly unschedulableAfter: (pool: PoolName) => Duration;
  readonly now: () => Instant;
  /** Calls back once after `delay`; the returned function cancels. */
  readonly wakeIn: (delay: Duration, callback: () => void) => () => void;
  readonly log: Log;
}

/** A gate, and whether the API server has it so. */
export interface ReplicaGate extends Gate {
  /** False: its write is ordered and was not answered yet. */
  readonly confirmed: boolean;
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
  readonly #gateListeners: ((replica: ReplicaId, epoch: number) => void)[] = [];
  /** The last closing of each pod's gate that was told. */
  readonly #told = new Map<string, number>();
  readonly #refused = new Map<ReplicaId, Replica>();
  #cancelWake: (() => void) | undefined;

  constructor(parts: KubernetesBackendParts) {
    this.#parts = parts;
    this.#keeper = new PodKeeper({
      ...parts,
      book: this.#book,
      onChange: () => {
        this.podsChanged();
      },
    });
  }

  observe(): readonly Replica[] {
    const now = this.#parts.now();
    this.#look(now);
    const pods = this.#book.all().flatMap((known) => this.#observeKnown(known, now));
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
    const start = this.#keeper.findStart(id);
    if (start === undefined) this.#order(id, { kind: 'forget', since: this.#parts.now() });
    else this.#keeper.forgetStart(start, this.#parts.now());
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  /** Calls back when the API server has taken the closing of a replica's gate, or when one is found closed. */
  onGateClosed(callback: (replica: ReplicaId, epoch: number) => void): void {
    this.#gateListeners.push(callback);
  }

  /** `undefined`: there is no such pod, or its gate says nothing that Corral writes. */
  gateOf(id: ReplicaId): ReplicaGate | undefined {
    const gate = this.#book.find(id)?.pod.gate;
    if (gate === undefined) return undefined;
    const order = this.#keeper.orderOf(id)?.kind;
    const isTurning = (order === 'close' && !gate.closed) || (order === 'open' && gate.closed);
    return isTurning ? { closed: true, epoch: gate.epoch, confirmed: false } : { ...gate, confirmed: true };
  }

  /** Why no node takes a replica's pod, as the scheduler says; `undefined`: one does, or it has not said. */
  schedulerWords(id: ReplicaId): string | undefined {
    return this.#book.find(id)?.pod.unschedulable;
  }

  /** Nothing is timed any more. What is written is for the lanes to end. */
  close(): void {
    this.#cancelWake?.();
  }

  /** To be called when the cluster's pods have changed. */
  podsChanged(): void {
    const now = this.#parts.now();
    this.#look(now);
    this.#tellGates();
    this.#sleep(now);
    for (const listener of this.#listeners) listener();
  }

  #start(preset: Preset, bin: BinName): void {
    const template = this.#parts.templates(preset.uid);
    if (template === undefined) {
      this.#refuse(preset, bin);
      return;
    }
    const start: Start = {
      preset,
      template,
      slot: this.#freeSlot(template),
      prefix: `/corral-${randomBytes(16).toString('hex')}`,
      bin,
      footprint: preset.footprint,
      since: this.#parts.now(),
      order: undefined,
      failure: undefined,
    };
    this.#keeper.addStart(start);
    this.#parts.log.info('replica ordered', { replica: startId(start), preset: preset.uid });
    this.#sleep(start.since);
  }

  /** The catalog and the templates are made together, so that this is a fault of whoever has made them; it shows as one. */
  #refuse({ uid, pool, footprint, rendered, serves }: Preset, bin: BinName): void {
    const id = replicaId(`start:${uid}`);
    const failure = refused('there is no template for its pod', this.#parts.now());
    this.#refused.set(id, {
      id,
      preset: uid,
      pool,
      bin,
      footprint,
      rendered,
      serves,
      state: { kind: 'failed', failure },
    });
  }

  /** The lowest whose name nothing has: also a pod on its way out keeps its name until it is gone. */
  #freeSlot({ namespace, baseName }: PodTemplate): number {
    let slot = 0;
    while (!this.#keeper.isFree({ namespace, name: `${baseName}-${slot}` })) slot += 1;
    return slot;
  }

  #drain(id: ReplicaId, cause: DrainCause): void {
    const kind = this.#find(id)?.kind;
    if (kind !== 'starting' && kind !== 'ready') return;
    this.#order(id, { kind: 'close', since: this.#parts.now(), cause });
    this.#parts.log.info('replica draining', { replica: id, cause: cause.kind });
  }

  #cancel(id: ReplicaId): void {
    if (this.#find(id)?.kind !== 'draining') return;
    const start = this.#keeper.findStart(id);
    if (start === undefined) this.#order(id, { kind: 'open', since: this.#parts.now() });
    else this.#keeper.orderStart(start, undefined);
    this.#parts.log.info('replica drains no more', { replica: id });
  }

  #stop(id: ReplicaId): void {
    const state = this.#find(id);
    if (state?.kind !== 'draining') return;
    const gate = this.#book.find(id)?.pod.gate;
    const epoch = gate?.closed === true ? gate.epoch : undefined;
    this.#order(id, { kind: 'delete', since: this.#parts.now(), cause: state.cause, epoch });
    this.#parts.log.info('replica stopping', { replica: id, cause: state.cause.kind });
  }

  #order(id: ReplicaId, order: PodOrder): void {
    const known = this.#book.find(id);
    if (known !== undefined) this.#keeper.order(known, order);
    const start = this.#keeper.findStart(id);
    if (start !== undefined && (order.kind === 'close' || order.kind === 'delete'))
      this.#keeper.orderStart(start, order);
    this.#sleep(this.#parts.now());
  }

  /** Takes in what the copy of the cluster's pods has now, which may be more than was told. */
  #look(now: Instant): void {
    this.#book.look(this.#parts.pods.objects(), now);
    this.#keeper.settle();
  }

  #find(id: ReplicaId): ReplicaState | undefined {
    const now = this.#parts.now();
    const known = this.#book.find(id);
    if (known !== undefined) return this.#stateOf(known, now);
    const start = this.#keeper.findStart(id);
    return start === undefined ? undefined : observeStart(start, now).state;
  }

  #observeKnown(known: KnownPod, now: Instant): Replica[] {
    const state = this.#stateOf(known, now);
    if (state === undefined) return [];
    const { uid, preset, pool, bin, footprint, rendered, serves } = known.pod;
    return [{ id: replicaId(uid), preset, pool: poolName(pool), bin, footprint, rendered, serves, state }];
  }

  /** `undefined`: it has failed, which was noted, and nothing of it runs any more: it holds nothing. */
  #stateOf({ pod, history }: KnownPod, now: Instant): ReplicaState | undefined {
    const order = this.#keeper.orderOf(pod.uid);
    if (order?.kind === 'delete') return { kind: 'stopping', since: order.since, cause: order.cause };
    if (order?.kind === 'forget') {
      return hasEnded(pod) ? undefined : { kind: 'stopping', since: order.since, cause: { kind: 'failed' } };
    }
    return observePod(asOrdered(pod, order), history, this.#limitsOf(pod), now);
  }

  #limitsOf({ preset, pool }: PodView): PodLimits | undefined {
    const settings = this.#parts.templates(preset)?.settings;
    if (settings === undefined) return undefined;
    const { provisionTimeout, loadTimeout } = settings;
    return { unschedulableAfter: this.#parts.unschedulableAfter(poolName(pool)), provisionTimeout, loadTimeout };
  }

  #tellGates(): void {
    for (const { pod } of this.#book.all()) {
      if (pod.gate?.closed !== true || this.#told.get(pod.uid) === pod.gate.epoch) continue;
      this.#told.set(pod.uid, pod.gate.epoch);
      for (const listener of this.#gateListeners) listener(replicaId(pod.uid), pod.gate.epoch);
    }
    for (const uid of this.#told.keys()) if (this.#book.find(uid) === undefined) this.#told.delete(uid);
  }

  /** Until the next moment at which something has taken too long. */
  #sleep(now: Instant): void {
    this.#cancelWake?.();
    const pods = this.#book.all().map(({ pod, history }) => {
      const order = this.#keeper.orderOf(pod.uid);
      return deadlineOf(asOrdered(pod, order), history, this.#limitsOf(pod));
    });
    const deadlines = [...pods, ...this.#keeper.starts().map(startDeadline)].filter((at) => at !== undefined);
    const next = earliest(deadlines.filter((at) => at > now));
    this.#cancelWake =
      next === undefined
        ? undefined
        : this.#parts.wakeIn(since(now, next), () => {
            this.podsChanged();
          });
  }
}
