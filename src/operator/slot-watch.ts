import type { SlotLook } from '../backend/kubernetes/look-at-slots.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { pause, type Timers } from '../kube/timers.ts';
import { LOOK_GAP, rowAfter, type IdleRow } from './slot-row.ts';

export interface SlotWatchParts {
  readonly look: (replica: ReplicaId) => Promise<SlotLook>;
  /** Something was seen. */
  readonly onLooked: () => void;
  readonly timers: Timers;
}

/** From one look's answer to the next look; an alarm may come a little early. */
const PAUSE = milliseconds(LOOK_GAP + 20);

interface Watched {
  readonly stopping: AbortController;
  row: IdleRow | undefined;
}

/** Looks at the slots of pods, of each for as long as it is asked to. */
export class SlotWatch {
  readonly #parts: SlotWatchParts;
  readonly #watched = new Map<ReplicaId, Watched>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(parts: SlotWatchParts) {
    this.#parts = parts;
  }

  /** Looks at these and at no others. Returns those at which it has not looked until now. */
  follow(replicas: readonly ReplicaId[]): readonly ReplicaId[] {
    if (this.#isStopped) return [];
    for (const [replica, { stopping }] of this.#watched) {
      if (replicas.includes(replica)) continue;
      stopping.abort();
      this.#watched.delete(replica);
    }
    const added = replicas.filter((replica) => !this.#watched.has(replica));
    for (const replica of added) this.#begin(replica);
    return added;
  }

  /** `undefined`: it was not seen idle by the last look. */
  find(replica: ReplicaId): IdleRow | undefined {
    return this.#watched.get(replica)?.row;
  }

  /** Looks at nothing more. Resolves when no look is on its way. */
  async stop(): Promise<void> {
    this.follow([]);
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  #begin(replica: ReplicaId): void {
    const watched: Watched = { stopping: new AbortController(), row: undefined };
    this.#watched.set(replica, watched);
    const running = this.#run(replica, watched).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(replica: ReplicaId, watched: Watched): Promise<void> {
    const { look, onLooked, timers } = this.#parts;
    const { signal } = watched.stopping;
    while (!signal.aborted) {
      const askedAt = timers.now();
      const seen = await look(replica);
      watched.row = rowAfter(watched.row, seen, { askedAt, answeredAt: timers.now() });
      // Also where nobody wants to know any more: it is as true as before.
      onLooked();
      await pause(timers, PAUSE, signal);
    }
  }
}
