import { PEAK_MEMORY, type Peak } from '../domain/activity.ts';
import { instant, later, type Instant } from '../domain/units.ts';

/** A number of requests in flight that has been passed downwards. */
interface Passed {
  readonly inFlight: number;
  readonly at: Instant;
}

/**
 * The most requests in flight at once in the last minute, exactly: of what has ended it keeps what nothing later has
 * outdone, the highest first.
 */
export class PeakWindow {
  readonly #opened: Instant;
  #passed: Passed[] = [];
  #inFlight: number;

  /** `inFlight`: requests in flight at `opened`; of what was before, nothing is known. */
  constructor(opened: Instant, inFlight: number) {
    this.#opened = opened;
    this.#inFlight = inFlight;
  }

  /** From `now` on so many are in flight. `now` never falls from one call to the next. */
  set(inFlight: number, now: Instant): void {
    if (inFlight < this.#inFlight) this.#passed.push({ inFlight: this.#inFlight, at: now });
    if (inFlight > this.#inFlight) this.#forgetOutdone(inFlight);
    this.#inFlight = inFlight;
    this.#forgetOld(now);
  }

  peak(now: Instant): Peak {
    this.#forgetOld(now);
    const [highest] = this.#passed;
    return {
      inFlight: highest === undefined ? this.#inFlight : highest.inFlight,
      since: later(this.#opened, startOf(now)),
    };
  }

  #forgetOutdone(inFlight: number): void {
    const kept = this.#passed.findLastIndex((passed) => passed.inFlight > inFlight) + 1;
    this.#passed.length = kept;
  }

  #forgetOld(now: Instant): void {
    const kept = this.#passed.findIndex(({ at }) => at >= startOf(now));
    if (kept !== 0) this.#passed = kept === -1 ? [] : this.#passed.slice(kept);
  }
}

const startOf = (now: Instant): Instant => instant(now - PEAK_MEMORY);
