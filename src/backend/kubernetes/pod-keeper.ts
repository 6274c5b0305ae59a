import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Instant } from '../../domain/units.ts';
import { isTemporary, type KubeApi } from '../../kube/kube-api.ts';
import type { ObjectRef } from '../../kube/kube-object.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Log } from '../../platform/log.ts';
import { keyOf, type KnownPod, type PodBook } from './pod-book.ts';
import { mayLoseVolumes } from './find-dropped-volume.ts';
import { nextStep, type PodOrder, type PodWrite } from './pod-order.ts';
import { PodRepairs } from './pod-repairs.ts';
import { isDoubtful, PodWrites, type CreateOutcome, type PodCache } from './pod-writes.ts';
import { renderPod, type PodTemplate } from './render-pod-template.ts';
import { isBornAs, nameOf, refused, startId, type Start } from './start.ts';

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

type Step =
  | { readonly kind: 'seek' | 'repair'; readonly known: KnownPod }
  | { readonly kind: 'write'; readonly known: KnownPod; readonly write: PodWrite }
  /** An order that is carried out, or can no longer be, is none any more. */
  | { readonly kind: 'drop'; readonly known: KnownPod }
  | { readonly kind: 'dry-run' | 'create' | 'withdraw'; readonly start: Start };

/**
 * Keeps what was ordered of pods and brings it about: one lane for each pod's name, which looks at what is wanted under
 * that name and at what there is, writes the next step, and looks again.
 */
export class PodKeeper {
  readonly #parts: PodKeeperParts;
  readonly #writes: PodWrites;
  readonly #repairs: PodRepairs;
  /** By the key of the name that the pod will have. */
  readonly #starts = new Map<string, Start>();
  /** By the pod's uid. */
  readonly #orders = new Map<string, PodOrder>();
  /** Lanes with an attempt that has not begun, and so will see all that is ordered now. */
  readonly #queued = new Set<string>();
  /** Names under which a write may or may not have been carried out: they are read before anything else. */
  readonly #doubtful = new Set<string>();
  /** The last template of each preset that the API server would have. */
  readonly #passed = new Map<PresetUid, string>();
  /** Starts whose owner was read while they were tried out: it counts for the creation that follows at once. */
  readonly #owned = new WeakSet<Start>();

  constructor(parts: PodKeeperParts) {
    this.#parts = parts;
    this.#writes = new PodWrites(parts.api, parts.pods, parts.book);
    this.#repairs = new PodRepairs({ ...parts, writes: this.#writes });
  }

  starts(): readonly Start[] {
    return [...this.#starts.values()];
  }

  findStart(id: ReplicaId): Start | undefined {
    return this.starts().find((start) => startId(start) === id);
  }

  addStart(start: Start): void {
    const key = keyOf(refOf(start));
    this.#starts.set(key, start);
    this.#push(key);
  }

  orderStart(start: Start, order: Start['order']): void {
    start.order = order;
    this.#push(keyOf(refOf(start)));
  }

  /** What was refused was never there; a start that took too long may still come to be, and is stopped then. */
  forgetStart(start: Start, now: Instant): void {
    if (start.failure !== undefined) this.#starts.delete(keyOf(refOf(start)));
    else this.orderStart(start, { kind: 'delete', since: now, cause: { kind: 'failed' } });
  }

  orderOf(uid: string): PodOrder | undefined {
    return this.#orders.get(uid);
  }

  order({ pod }: KnownPod, order: PodOrder): void {
    this.#orders.set(pod.uid, order);
    this.#push(keyOf(pod));
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
    for (const [uid, { kind }] of this.#orders) {
      const known = kind === 'forget' ? this.#parts.book.find(uid) : undefined;
      if (known !== undefined) this.#push(keyOf(known.pod));
    }
  }

  /** Fits what was ordered to the pods of the last look: starts that have come to be, orders whose pod is gone. */
  settle(): void {
    const { book, lanes, templates } = this.#parts;
    this.#repairs.prune();
    for (const start of this.starts()) this.#bear(start);
    for (const uid of this.#orders.keys()) if (book.find(uid) === undefined) this.#orders.delete(uid);
    for (const uid of this.#passed.keys()) if (templates(uid) === undefined) this.#passed.delete(uid);
    const keys = new Set([...this.#starts.keys(), ...book.all().map(({ pod }) => keyOf(pod))]);
    for (const key of keys) if (!lanes.isBusy(key) && this.#findStep(key) !== undefined) this.#push(key);
  }

  /** The orders of a start become those of its pod. */
  #bear(start: Start): void {
    const { book, log } = this.#parts;
    const known = book.findNamed(refOf(start));
    if (known === undefined || !isBornAs(start, known.pod)) return;
    const { uid } = known.pod;
    this.#starts.delete(keyOf(refOf(start)));
    book.noteOrdered(uid, start.since);
    if (start.order !== undefined) this.#orders.set(uid, { ...start.order, epoch: undefined, isPresumed: false });
    log.info('replica created', { replica: uid, pod: nameOf(start), preset: start.preset.uid });
  }

  #isTaken(ref: ObjectRef): boolean {
    return this.#starts.has(keyOf(ref)) || this.#parts.book.findNamed(ref) !== undefined;
  }

  #push(key: string): void {
    const { lanes } = this.#parts;
    if (this.#queued.has(key)) {
      lanes.wake(key);
      return;
    }
    this.#queued.add(key);
    void lanes.run(key, async () => this.#level(key));
  }

  async #level(key: string): Promise<'done' | 'again'> {
    // All that is ordered in this tick counts.
    await Promise.resolve();
    this.#queued.delete(key);
    try {
      await this.#resolveDoubt(key);
      for (let step = this.#findStep(key); step !== undefined; step = this.#findStep(key)) {
        const outcome = await this.#carryOut(step);
        if (!this.#isPassed(step)) this.#parts.onChange();
        if (outcome === 'changed') return 'again';
      }
      return 'done';
    } catch (error) {
      if (isDoubtful(error)) this.#doubtful.add(key);
      if (isTemporary(error)) throw error;
      this.#parts.log.error('a pod could not be written', { pod: key, error });
      return 'again';
    }
  }

  /** That it was tried out, and would be taken, changes nothing that anybody else sees: the creation goes first. */
  #isPassed(step: Step): boolean {
    return step.kind === 'dry-run' && this.#owned.has(step.start);
  }

  async #resolveDoubt(key: string): Promise<void> {
    if (!this.#doubtful.has(key)) return;
    const [namespace = '', name = ''] = key.split('/');
    await this.#writes.readBack({ namespace, name });
    this.#doubtful.delete(key);
    this.#parts.onChange();
  }

  /** What to write next under a name; `undefined`: nothing now. */
  #findStep(key: string): Step | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const known = this.#parts.book.findNamed({ namespace, name });
    const start = this.#starts.get(key);
    if (known !== undefined) return this.#podStep(known);
    if (start === undefined || start.failure !== undefined) return undefined;
    if (start.order !== undefined) return { kind: 'withdraw', start };
    return { kind: this.#isGood(start) ? 'create' : 'dry-run', start };
  }

  /** What else an API server has against a pod it says when that is created, too. */
  #isGood(start: Start): boolean {
    if (this.#passed.get(start.preset.uid) === start.template.rendered) return true;
    return !mayLoseVolumes(renderPod(start.template, start));
  }

  #podStep(known: KnownPod): Step | undefined {
    const { pod, history } = known;
    const mending = this.#repairs.stepFor(known);
    if (mending !== undefined || known.lostSince !== undefined) return mending;
    const order = this.#orders.get(pod.uid);
    if (order?.kind === 'forget' && !this.#parts.isToldOf(pod)) return undefined;
    const step = nextStep(pod, order, history.ready !== undefined);
    switch (step.kind) {
      case 'wait':
        return undefined;
      case 'settled':
        return order === undefined ? undefined : { kind: 'drop', known };
      case 'close':
      case 'open':
      case 'delete':
        return { kind: 'write', known, write: step };
    }
  }

  async #carryOut(step: Step): Promise<'written' | 'changed'> {
    switch (step.kind) {
      case 'write':
        return this.#write(step.known.pod, step.write);
      case 'seek':
        return this.#repairs.seek(step.known);
      case 'repair':
        return this.#repairs.repair(step.known);
      case 'drop':
        this.#orders.delete(step.known.pod.uid);
        return 'written';
      case 'withdraw':
        this.#starts.delete(keyOf(refOf(step.start)));
        return 'written';
      case 'dry-run':
        return this.#tryOut(step.start);
      case 'create':
        return this.#create(step.start);
    }
  }

  /** That an edge was presumed dead is true for the moment: what could not be written then is to be decided anew. */
  async #write(pod: PodView, write: PodWrite): Promise<'written' | 'changed'> {
    const order = this.#orders.get(pod.uid);
    let outcome: 'written' | 'changed' = 'changed';
    try {
      outcome = await this.#writes.carryOut(write, pod);
      return outcome;
    } finally {
      const isStale = order?.kind === 'delete' && order.isPresumed && outcome === 'changed';
      if (isStale && this.#orders.get(pod.uid) === order) {
        this.#orders.delete(pod.uid);
        this.#parts.onChange();
      }
    }
  }

  /** Its owner is read meanwhile, so that the creation need not wait for that as well. */
  async #tryOut(start: Start): Promise<'written' | 'changed'> {
    const [outcome, isThere] = await Promise.all([this.#writes.create(start, true), this.#isOwnerThere(start)]);
    if (outcome.kind !== 'created') return this.#note(start, outcome);
    this.#passed.set(start.preset.uid, start.template.rendered);
    if (isThere) this.#owned.add(start);
    return isThere ? 'written' : 'changed';
  }

  async #create(start: Start): Promise<'written' | 'changed'> {
    const isOwned = this.#owned.delete(start) || (await this.#isOwnerThere(start));
    return isOwned ? this.#note(start, await this.#writes.create(start, false)) : 'changed';
  }

  /** A pod may be gone because its owner is, and the watch has not told yet: then none is made. */
  async #isOwnerThere({ template }: Start): Promise<boolean> {
    return this.#parts.isThere(template.settings.owner);
  }

  #note(start: Start, outcome: CreateOutcome): 'written' | 'changed' {
    switch (outcome.kind) {
      case 'created':
        return 'written';
      case 'exists':
      case 'changed':
        return 'changed';
      case 'refused':
        start.failure = refused(outcome, this.#parts.now());
        return 'written';
    }
  }
}

const refOf = (start: Start): ObjectRef & { readonly namespace: string } => ({
  namespace: start.template.namespace,
  name: nameOf(start),
});
