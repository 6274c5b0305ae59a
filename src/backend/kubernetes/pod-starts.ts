import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Instant } from '../../domain/units.ts';
import type { ObjectRef } from '../../kube/kube-object.ts';
import { mayLoseVolumes } from './find-dropped-volume.ts';
import { keyOf, type PodBook } from './pod-book.ts';
import type { Step, StepOutcome } from './pod-lanes.ts';
import type { PodOrder } from './pod-order.ts';
import type { CreateOutcome, PodWrites, WriteOutcome } from './pod-writes.ts';
import type { PodTemplate } from './render-pod-template.ts';
import { isBornAs, mayPass, ordered, refused, type CreateRefusal, type Start } from './start.ts';

export interface PodStartsParts {
  readonly writes: PodWrites;
  readonly book: PodBook;
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  /** Whether a ModelDeployment is there to stay, read from the API server. */
  readonly isThere: (owner: PodOwner) => Promise<boolean>;
  readonly now: () => Instant;
}

/** The pods that were ordered and are not known to exist, until they come to be, or are not wanted any more. */
export class PodStarts {
  readonly #parts: PodStartsParts;
  /** By the key of the name that the pod will have. */
  readonly #starts = new Map<string, Start>();
  /** The last rendering of each preset that was tried out and that the API server would have. */
  readonly #passed = new Map<PresetUid, string>();

  constructor(parts: PodStartsParts) {
    this.#parts = parts;
  }

  all(): readonly Start[] {
    return [...this.#starts.values()];
  }

  find(id: ReplicaId): Start | undefined {
    return this.all().find((start) => start.id === id);
  }

  isNamed(ref: ObjectRef): boolean {
    return this.#starts.has(keyOf(ref));
  }

  add(start: Start): void {
    this.#starts.set(keyOf(start.pod.metadata), start);
  }

  /** What was refused was never there, and is forgotten with nothing left to do. */
  order(start: Start, order: PodOrder): void {
    if (order.kind === 'forget' && start.state.kind === 'failed') this.#remove(start);
    else start.state = ordered(order);
  }

  /** Those that have come to be are starts no more: each is handed over with the uid of its pod. To be called after each look. */
  handOver(take: (uid: string, start: Start) => void): void {
    for (const start of this.all()) {
      const pod = this.#parts.book.findNamed(start.pod.metadata)?.pod;
      if (pod === undefined || !isBornAs(start, pod)) continue;
      this.#remove(start);
      take(pod.uid, start);
    }
  }

  /** Forgets what was tried out of presets that are gone. */
  prune(): void {
    for (const uid of this.#passed.keys()) if (this.#parts.templates(uid) === undefined) this.#passed.delete(uid);
  }

  /** Under a name that no pod has. `undefined`: nothing is to be done now. */
  stepFor(ref: ObjectRef): Step | undefined {
    const start = this.#starts.get(keyOf(ref));
    if (start === undefined || start.state.kind === 'failed') return undefined;
    return start.state.kind === 'wanted' ? async () => this.#make(start) : async () => this.#withdraw(start);
  }

  #remove({ pod }: Start): void {
    this.#starts.delete(keyOf(pod.metadata));
  }

  async #withdraw(start: Start): Promise<WriteOutcome> {
    this.#remove(start);
    return Promise.resolve('written');
  }

  /** A pod may be gone because its owner is, and the watch has not told yet: then none is made. */
  async #make(start: Start): Promise<StepOutcome> {
    const { isThere, writes } = this.#parts;
    const [tried, isOwned] = await Promise.all([this.#tryOut(start), isThere(start.template.settings.owner)]);
    if (tried.kind !== 'created') return this.#note(start, tried);
    if (!isOwned) return 'ownerless';
    // What was ordered of it meanwhile counts.
    if (start.state.kind !== 'wanted') return 'written';
    return this.#note(start, await writes.create(start.pod));
  }

  /** `created`: it would be. Only whether something is left out has to be tried; all else it says of the creation, too. */
  async #tryOut({ preset, template, pod }: Start): Promise<CreateOutcome> {
    const { rendered } = template;
    if (this.#passed.get(preset.uid) === rendered || !mayLoseVolumes(pod)) return { kind: 'created' };
    const outcome = await this.#parts.writes.tryOut(pod);
    if (outcome.kind === 'created') this.#passed.set(preset.uid, rendered);
    return outcome;
  }

  #note(start: Start, outcome: CreateOutcome): StepOutcome {
    switch (outcome.kind) {
      case 'created':
        return 'written';
      case 'exists':
      case 'changed':
        return 'changed';
      case 'refused':
        return this.#refuse(start, outcome);
    }
  }

  /** What was ordered of it meanwhile counts, and is carried out by the next try. */
  #refuse(start: Start, refusal: CreateRefusal): StepOutcome {
    const now = this.#parts.now();
    if (mayPass(start, refusal, now)) {
      if (start.state.kind === 'wanted') start.state = { kind: 'wanted', refusal };
      return 'overQuota';
    }
    start.state = { kind: 'failed', failure: refused(refusal, start.since, now) };
    return 'written';
  }
}
