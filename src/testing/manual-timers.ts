import { setImmediate as nextTurn } from 'node:timers/promises';
import { instant, milliseconds, type Duration, type Instant } from '../domain/units.ts';
import type { Timers } from '../kube/timers.ts';
import { Watch } from './watch.ts';

interface Alarm {
  readonly at: Instant;
  readonly delay: Duration;
  readonly callback: () => void;
}

/** A clock that the test moves, with its alarms. */
export class ManualTimers implements Timers {
  readonly #alarms = new Set<Alarm>();
  readonly #watch = new Watch(() => `alarms are set after: ${this.delays.join(', ')}`);
  #now = instant(0);

  readonly now = (): Instant => this.#now;

  /** Always the middle, so that a back-off is half its limit. */
  readonly random = (): number => 0.5;

  readonly wakeIn = (delay: Duration, callback: () => void): (() => void) => {
    const alarm = { at: instant(this.#now + delay), delay, callback };
    this.#alarms.add(alarm);
    this.#watch.look();
    return () => {
      this.#alarms.delete(alarm);
      this.#watch.look();
    };
  };

  /** What was asked for, of the alarms that are set, in milliseconds, shortest first. */
  get delays(): readonly number[] {
    return [...this.#alarms].map(({ delay }) => Number(delay)).toSorted((a, b) => a - b);
  }

  /** Resolves as soon as an alarm with exactly this delay is set. */
  async armed(delay: Duration): Promise<void> {
    await this.#watch.until(() => this.delays.includes(delay));
  }

  /** Resolves when an alarm with exactly this delay is set from now on. */
  async rearmed(delay: Duration): Promise<void> {
    const known = new Set(this.#alarms);
    await this.#watch.until(() => [...this.#alarms].some((alarm) => alarm.delay === delay && !known.has(alarm)));
  }

  /** Resolves as soon as no alarm with exactly this delay is set. */
  async disarmed(delay: Duration): Promise<void> {
    await this.#watch.until(() => !this.delays.includes(delay));
  }

  /** Moves the clock, and rings in order what is due by then. */
  advance(by: Duration): void {
    const end = instant(this.#now + by);
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#ring(next);
    }
    this.#now = end;
  }

  /** Lets the time pass: after each alarm, what it sets off has its turn. */
  async pass(by: Duration): Promise<void> {
    const end = instant(this.#now + by);
    await nextTurn();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#ring(next);
      await nextTurn();
    }
    this.#now = end;
  }

  #ring(alarm: Alarm): void {
    this.#alarms.delete(alarm);
    this.#now = alarm.at;
    alarm.callback();
  }

  #next(end: Instant): Alarm | undefined {
    return [...this.#alarms].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}

/**
 * Time that passes by itself when somebody waits for at most `longest`, and else stands still: pauses are over at once, and
 * what is there for emergencies only never comes. `delays` are all that were asked for and were that short.
 */
export class EagerTimers implements Timers {
  readonly delays: number[] = [];
  readonly random: () => number;
  readonly #longest: Duration;
  #now = instant(0);

  constructor(longest: Duration, random: () => number = () => 0.5) {
    this.#longest = longest;
    this.random = random;
  }

  readonly now = (): Instant => this.#now;

  readonly wakeIn = (delay: Duration, callback: () => void): (() => void) => {
    if (delay > this.#longest) return () => undefined;
    this.delays.push(delay);
    const immediate = setImmediate(() => {
      this.#now = instant(this.#now + delay);
      callback();
    });
    return () => {
      clearImmediate(immediate);
    };
  };
}

/** For calls whose time limit is not the subject: longer than any eager pause. */
export const NEVER = milliseconds(3_600_000);
