import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { isLive } from '../domain/replica.ts';
import { after, minutes, type Instant } from '../domain/units.ts';
import type { EdgeOrder } from './edge-order.ts';
import type { EdgeReplica } from './edge-replica.ts';

/** How long an order is reported that is not seen done: longer than an operator needs to start anew. */
const KEEP = minutes(1);

export interface ClusterOrdersParts {
  /** As they were when the route table was published last. */
  readonly replicasOf: (preset: PresetUid) => readonly EdgeReplica[];
  readonly isDeclared: (preset: PresetUid) => boolean;
  readonly newId: () => string;
  readonly now: () => Instant;
  /** An order came, or is done. */
  readonly onChange: () => void;
}

/** What clients have ordered of this edge and the operator has not done yet; at most one order a preset. */
export class ClusterOrders {
  readonly #parts: ClusterOrdersParts;
  readonly #open = new Map<PresetUid, EdgeOrder>();

  constructor(parts: ClusterOrdersParts) {
    this.#parts = parts;
  }

  /** A later order for the same preset replaces an earlier one. */
  load(preset: PresetUid): 'ordered' | 'already-running' {
    if (this.#live(preset).length > 0) return 'already-running';
    this.#add(preset, 'Load', []);
    return 'ordered';
  }

  unload(preset: PresetUid): 'ordered' | 'not-running' {
    const live = this.#live(preset);
    if (live.length === 0) return 'not-running';
    this.#add(preset, 'Unload', live);
    return 'ordered';
  }

  list(): readonly EdgeOrder[] {
    return [...this.#open.values()];
  }

  isLoading(preset: PresetUid): boolean {
    return this.#open.get(preset)?.kind === 'Load';
  }

  /** Drops what is done or too old. Returns until when it has to be called again; `undefined`: no order is open. */
  settle(): Instant | undefined {
    const now = this.#parts.now();
    const done = this.list().filter((order) => after(order.since, KEEP) <= now || this.#isDone(order));
    for (const { preset } of done) this.#open.delete(preset);
    if (done.length > 0) this.#parts.onChange();
    const [oldest] = this.list().toSorted((a, b) => a.since - b.since);
    return oldest === undefined ? undefined : after(oldest.since, KEEP);
  }

  #live(preset: PresetUid): ReplicaId[] {
    return this.#parts
      .replicasOf(preset)
      .filter(isLive)
      .map(({ id }) => id);
  }

  #add(preset: PresetUid, kind: EdgeOrder['kind'], replicas: readonly ReplicaId[]): void {
    const { newId, now, onChange } = this.#parts;
    this.#open.set(preset, { id: newId(), kind, preset, replicas, since: now() });
    onChange();
  }

  #isDone({ kind, preset, replicas }: EdgeOrder): boolean {
    if (!this.#parts.isDeclared(preset)) return true;
    const there = this.#parts.replicasOf(preset);
    if (kind === 'Load') return there.some(({ state }) => state.kind === 'ready');
    return !there.some(({ id }) => replicas.includes(id));
  }
}
