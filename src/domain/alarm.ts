import { since, type Duration, type Instant } from './units.ts';

/** Calls back once after `delay`; the returned function cancels. */
export type WakeIn = (delay: Duration, callback: () => void) => () => void;

/** Rings at one time, which may be set anew until it has come. */
export class Alarm {
  readonly #wakeIn: WakeIn;
  readonly #onRing: () => void;
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(wakeIn: WakeIn, onRing: () => void) {
    this.#wakeIn = wakeIn;
    this.#onRing = onRing;
  }

  /** In place of the time that was set before. `undefined`: it does not ring; what has come already, at once. */
  setTo(at: Instant | undefined, now: Instant): void {
    this.#cancel?.();
    this.#cancel = at === undefined || this.#isOver ? undefined : this.#wakeIn(since(now, at), this.#onRing);
  }

  /** It rings no more, whatever is set afterwards. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}
