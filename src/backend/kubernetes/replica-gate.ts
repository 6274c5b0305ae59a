import type { Gate } from '../../api/cluster/pod-marks.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { replicaId, type ReplicaId } from '../../domain/ids.ts';
import type { PodBook } from './pod-book.ts';
import type { PodOrder } from './pod-order.ts';

/** A gate, and whether the API server has it so. */
export interface ReplicaGate extends Gate {
  /** False: its write is ordered and was not answered yet. */
  readonly confirmed: boolean;
}

/** While a gate turns nobody may rely on its being open. `undefined`: it says nothing that Corral writes. */
export function gateOf({ gate }: PodView, order: PodOrder | undefined): ReplicaGate | undefined {
  if (gate === undefined) return undefined;
  const isTurning = (order?.kind === 'close' && !gate.closed) || (order?.kind === 'open' && gate.closed);
  return isTurning ? { closed: true, epoch: gate.epoch, confirmed: false } : { ...gate, confirmed: true };
}

/** Tells of each closing of a gate once, when the API server has taken it. */
export class ClosedGates {
  readonly #listeners: ((replica: ReplicaId, epoch: number) => void)[] = [];
  /** By the pod's uid, the last closing that was told. */
  readonly #told = new Map<string, number>();

  onClosed(callback: (replica: ReplicaId, epoch: number) => void): void {
    this.#listeners.push(callback);
  }

  /** To be called after each look. */
  tell(book: PodBook): void {
    for (const uid of this.#told.keys()) if (book.find(uid) === undefined) this.#told.delete(uid);
    for (const { pod } of book.all()) {
      const { uid, gate } = pod;
      if (gate?.closed !== true || this.#told.get(uid) === gate.epoch) continue;
      this.#told.set(uid, gate.epoch);
      for (const listener of this.#listeners) listener(replicaId(uid), gate.epoch);
    }
  }
}
