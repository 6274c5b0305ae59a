import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Instant } from '../../domain/units.ts';
import { isTemporary, type KubeApi } from '../../kube/kube-api.ts';
import type { ObjectRef } from '../../kube/kube-object.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Log } from '../../platform/log.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import { nextStep, type PodOrder, type PodWrite } from './pod-order.ts';
import { isDoubtful, PodWrites, type PodCache } from './pod-writes.ts';
import type { PodTemplate } from './render-pod-template.ts';
import { isBornAs, nameOf, refused, startId, type Start } from './start.ts';

export interface PodKeeperParts {
  readonly api: KubeApi;
  readonly pods: PodCache;
  readonly lanes: WriteLanes;
  readonly book: PodBook;
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  readonly now: () => Instant;
  readonly log: Log;
  /** Called when pods, starts or orders have changed other than by a call from outside. */
  readonly onChange: () => void;
}

type Step =
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

  constructor(parts: PodKeeperParts) {
    this.#parts = parts;
    this.#writes = new PodWrites(parts.api, parts.pods);
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

  /** Whether the name is free, as far as is known. */
  isFree(ref: ObjectRef): boolean {
    return !this.#starts.has(keyOf(ref)) && this.#parts.book.findNamed(ref) === undefined;
  }

  /** Fits what was ordered to the pods of the last look: starts that have come to be, orders whose pod is gone. */
  settle(): void {
    const { book, lanes, templates } = this.#parts;
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
    if (start.order !== undefined) this.#orders.set(uid, { ...start.order, epoch: undefined });
    log.info('replica created', { replica: uid, pod: nameOf(start), preset: start.preset.uid });
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
        this.#parts.onChange();
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
    return { kind: this.#passed.get(start.preset.uid) === start.template.rendered ? 'create' : 'dry-run', start };
  }

  #podStep(known: KnownPod): Step | undefined {
    const { pod, history } = known;
    const order = this.#orders.get(pod.uid);
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
        return this.#writes.carryOut(step.write, step.known.pod);
      case 'drop':
        this.#orders.delete(step.known.pod.uid);
        return 'written';
      case 'withdraw':
        this.#starts.delete(keyOf(refOf(step.start)));
        return 'written';
      case 'dry-run':
      case 'create':
        return this.#create(step.start, step.kind === 'dry-run');
    }
  }

  async #create(start: Start, dryRun: boolean): Promise<'written' | 'changed'> {
    const outcome = await this.#writes.create(start, dryRun);
    switch (outcome.kind) {
      case 'created':
        if (dryRun) this.#passed.set(start.preset.uid, start.template.rendered);
        return 'written';
      case 'exists':
      case 'changed':
        return 'changed';
      case 'refused':
        start.failure = refused(outcome.message, this.#parts.now());
        return 'written';
    }
  }
}

const refOf = (start: Start): ObjectRef & { readonly namespace: string } => ({
  namespace: start.template.namespace,
  name: nameOf(start),
});

/** One lane for each of these. Neither part can hold a slash. */
const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace ?? ''}/${name}`;
