import type { Duration, Instant } from '../domain/units.ts';

/** Something that may be silent until its deadline. */
export interface Watched {
  /** `Infinity`: for ever. */
  readonly deadline: number;
  /** It has passed. The deadline must change, or the watch be left. */
  overdue(): void;
}

/**
 * Looks at all deadlines in one turn, so that a deadline that moves with each piece of an answer is one number and no timer.
 * A deadline is seen up to one period late, and never early.
 */
export class SilenceWatch {
  readonly #now: () => Instant;
  readonly #period: Duration;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => Instant, period: Duration) {
    this.#now = now;
    this.#period = period;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      this.#look();
    }, this.#period);
    this.#timer.unref();
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = this.#now();
    for (const watched of this.#watched) if (watched.deadline <= now) watched.overdue();
  }
}
