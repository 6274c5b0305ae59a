import { since, type Duration, type Instant } from '../domain/units.ts';

/** What is needed of a connection, a `Socket`, that waits for its client's next request. */
export interface Waitable {
  readonly destroyed: boolean;
  readonly bytesRead: number;
  pause(): unknown;
  resume(): unknown;
}

/** Refusals in one millisecond that hold nobody up. */
const FEW = 8;
/** How long a look may take with all that is read and served at it, and the pause before the next one, in milliseconds. */
const LOOK = 0.5;
const PAUSE = 1;
/** Connections that are read at one look: as many as there is time for, */
const AT_ONCE = { least: 4, first: 8, most: 32 };
/** and as many as it takes for each to have its look in so long, in milliseconds: nothing is seen of a connection that is not read. */
const ROUND = 50;
/** Looks in a row at which somebody had sent nothing who floods no more. */
const QUIET_LOOKS = 2;

interface Waiting {
  readonly connection: Waitable;
  /** Looks in a row at which it had brought nothing. */
  readonly quiet: number;
}

/**
 * The connections of those who are refused in numbers. A few of them are read at a time, in turn, with pauses in which the event loop is
 * everybody else's. Reading and parsing a request is most of what a refusal costs, and Node reads all that has come before it goes on:
 * who waits for a model would wait for all of them. What is not read yet waits with the kernel, and slows its client down.
 */
export class SlowLane {
  readonly #now: () => Instant;
  readonly #waiting: Waiting[] = [];
  #isLooking = false;
  #isClosed = false;
  #atOnce = AT_ONCE.first;
  /** Refusals since `#counting` began, which is for a millisecond. */
  #refusals = 0;
  #counting: Instant;
  constructor(now: () => Instant) {
    this.#now = now;
    this.#counting = now();
  }

  /** Its client has been refused, and all of the answer is out. */
  add(connection: Waitable): void {
    const now = this.#now();
    if (since(this.#counting, now) >= 1) {
      this.#counting = now;
      this.#refusals = 0;
    }
    this.#refusals += 1;
    if (this.#isClosed || (this.#refusals <= FEW && this.#waiting.length === 0)) return;
    this.#enqueue({ connection, quiet: 0 });
    this.#lookSoon(now);
  }

  /** Everybody in it is read from now on, and nobody comes in any more. Returns who was in it. */
  close(): readonly Waitable[] {
    this.#isClosed = true;
    const all = this.#waiting.splice(0).map(({ connection }) => connection);
    for (const connection of all) connection.resume();
    return all;
  }

  #enqueue(waiting: Waiting): void {
    waiting.connection.pause();
    this.#waiting.push(waiting);
  }

  /** `last`: when the last look began; the first one follows the first refusal. */
  #lookSoon(last: Instant): void {
    if (this.#isLooking || this.#waiting.length === 0) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#look(last);
    }, PAUSE);
  }

  /** Between the timers of a turn of the event loop and its end, what has come is read, and its requests are begun. */
  #look(last: Instant): void {
    const began = this.#now();
    const due = Math.ceil((this.#waiting.length * since(last, began)) / ROUND);
    const some = this.#waiting.splice(0, Math.max(this.#atOnce, due)).filter(({ connection }) => !connection.destroyed);
    const before = some.map(({ connection }) => connection.bytesRead);
    for (const { connection } of some) connection.resume();
    setImmediate(() => {
      const quiet = some.filter(({ connection }, index) => connection.bytesRead === before[index]);
      if (quiet.length < some.length / 2) this.#adjust(since(began, this.#now()));
      for (const { connection, quiet: looks } of quiet) {
        if (!this.#isClosed && looks < QUIET_LOOKS) this.#enqueue({ connection, quiet: looks + 1 });
      }
      this.#isLooking = false;
      this.#lookSoon(began);
    });
  }

  #adjust(took: Duration): void {
    const { least, most } = AT_ONCE;
    this.#atOnce = took > LOOK ? Math.max(least, this.#atOnce - 1) : Math.min(most, this.#atOnce + 1);
  }
}
