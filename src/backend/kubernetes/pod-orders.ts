import type { PodView } from '../../api/cluster/pod-view.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import type { Step } from './pod-lanes.ts';
import { nextStep, type PodOrder, type PodWrite } from './pod-order.ts';
import type { PodWrites, WriteOutcome } from './pod-writes.ts';

export interface PodOrdersParts {
  readonly writes: PodWrites;
  readonly book: PodBook;
  readonly isToldOf: (pod: PodView) => boolean;
  readonly onChange: () => void;
}

/** What was ordered of pods, until it is carried out or can no longer be. */
export class PodOrders {
  readonly #parts: PodOrdersParts;
  /** By the pod's uid. */
  readonly #orders = new Map<string, PodOrder>();

  constructor(parts: PodOrdersParts) {
    this.#parts = parts;
  }

  of(uid: string): PodOrder | undefined {
    return this.#orders.get(uid);
  }

  give(uid: string, order: PodOrder): void {
    this.#orders.set(uid, order);
  }

  /** The pods that have failed, which was noted. */
  forgotten(): readonly PodView[] {
    return [...this.#orders].flatMap(([uid, { kind }]) =>
      kind === 'forget' ? (this.#parts.book.find(uid)?.pod ?? []) : [],
    );
  }

  /** Forgets what was ordered of pods that are gone. To be called after each look. */
  prune(): void {
    for (const uid of this.#orders.keys()) if (this.#parts.book.find(uid) === undefined) this.#orders.delete(uid);
  }

  /** `undefined`: nothing is to be done now. */
  stepFor({ pod, history }: KnownPod): Step | undefined {
    const order = this.#orders.get(pod.uid);
    if (order?.kind === 'forget' && !this.#parts.isToldOf(pod)) return undefined;
    const step = nextStep(pod, order, history.ready !== undefined);
    switch (step.kind) {
      case 'wait':
        return undefined;
      case 'settled':
        return order === undefined ? undefined : async () => this.#drop(pod);
      case 'close':
      case 'open':
      case 'delete':
        return async () => this.#write(pod, step);
    }
  }

  async #drop({ uid }: PodView): Promise<WriteOutcome> {
    this.#orders.delete(uid);
    return Promise.resolve('written');
  }

  /** That an edge was presumed dead is true for the moment: what could not be written then is to be decided anew. */
  async #write(pod: PodView, write: PodWrite): Promise<WriteOutcome> {
    const order = this.#orders.get(pod.uid);
    let outcome: WriteOutcome = 'changed';
    try {
      outcome = await this.#parts.writes.carryOut(write, pod);
      return outcome;
    } finally {
      const isStale = order?.kind === 'delete' && order.isPresumed && outcome === 'changed';
      if (isStale && this.#orders.get(pod.uid) === order) {
        this.#orders.delete(pod.uid);
        this.#parts.onChange();
      }
    }
  }
}
