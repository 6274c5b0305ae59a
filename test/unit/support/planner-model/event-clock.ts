import { instant, type Duration, type Instant } from '../../../../src/domain/units.ts';

interface Alarm {
  readonly at: Instant;
  readonly callback: () => void;
}

/** A clock whose alarms ring one at a time, so that the world can be looked at between any two of them. */
export class EventClock {
  readonly #alarms = new Set<Alarm>();
  #now = instant(0);

  readonly now = (): Instant => this.#now;

  /** Calls back once after `delay`; the returned function cancels. */
  readonly wakeIn = (delay: Duration, callback: () => void): (() => void) => {
    const alarm = { at: instant(this.#now + delay), callback };
    this.#alarms.add(alarm);
    return () => {
      this.#alarms.delete(alarm);
    };
  };

  /** When the next alarm rings; `undefined`: none is set. */
  get next(): Instant | undefined {
    return this.#first()?.at;
  }

  /** Moves to the next alarm and rings it: of those that are due together the one that was set first. */
  ringNext(): void {
    const alarm = this.#first();
    if (alarm === undefined) return;
    this.#alarms.delete(alarm);
    this.#now = alarm.at;
    alarm.callback();
  }

  /** Moves to a moment that is not past, and before which nothing rings. */
  moveTo(at: Instant): void {
    this.#now = at;
  }

  #first(): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) if (first === undefined || alarm.at < first.at) first = alarm;
    return first;
  }
}
