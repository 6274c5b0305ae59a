import type { PresetUid } from '../domain/ids.ts';

/** A request that waits for its model. It leaves the queue itself, when its wait has ended one way or another. */
export interface Held {
  /** Called after each publication, and when a replica has room: look at the route again, and leave if the wait is over. */
  reconsider(): void;
  /** We shut down: leave, with an answer that says so. */
  turnAway(): void;
}

/** Who waits for which preset, in the order of arrival. A preset for which nobody waits has no entry. */
export class HoldQueue {
  readonly #lines = new Map<PresetUid, Set<Held>>();
  #waiting = 0;

  /** Puts a request at the end of its preset's line. */
  join(preset: PresetUid, held: Held): void {
    const line = this.#lines.get(preset);
    this.#waiting += 1;
    if (line === undefined) this.#lines.set(preset, new Set([held]));
    else line.add(held);
  }

  /** Takes a request out. One that is not in line changes nothing. */
  leave(preset: PresetUid, held: Held): void {
    const line = this.#lines.get(preset);
    if (line?.delete(held) !== true) return;
    this.#waiting -= 1;
    if (line.size === 0) this.#lines.delete(preset);
  }

  /** Requests that wait, for all presets together. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Presets that somebody waits for. */
  get presets(): number {
    return this.#lines.size;
  }

  reconsiderAll(): void {
    this.#each((held) => {
      held.reconsider();
    });
  }

  /** A replica of the preset has room for one more: the first that can go there goes. */
  callNext(preset: PresetUid): void {
    const line = this.#lines.get(preset);
    if (line === undefined) return;
    for (const held of [...line]) {
      held.reconsider();
      if (!line.has(held)) return;
    }
  }

  turnAllAway(): void {
    this.#each((held) => {
      held.turnAway();
    });
  }

  /** Over copies: a visit takes requests out, and may publish a table whose visits come in between. */
  #each(visit: (held: Held) => void): void {
    for (const line of [...this.#lines.values()]) {
      for (const held of [...line]) if (line.has(held)) visit(held);
    }
  }
}
