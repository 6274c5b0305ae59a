/** For so long a test waits for one thing at the most, on a machine that does much else: what takes longer does not come. */
const PATIENCE_MS = 60_000;

interface Waiter {
  /** Whether its wait is over, one way or the other. */
  readonly look: () => boolean;
}

/** Where tests wait for what they cannot be told of: whoever may have changed it has it looked at again. */
export class Watch {
  readonly #waiters = new Set<Waiter>();
  readonly #explain: () => string;
  readonly #patienceMs: number;

  /** `explain` says how things are, for whoever has waited in vain. */
  constructor(explain: () => string = () => '', patienceMs = PATIENCE_MS) {
    this.#explain = explain;
    this.#patienceMs = patienceMs;
  }

  /** To be called whenever something has happened. */
  look(): void {
    for (const waiter of this.#waiters) if (waiter.look()) this.#waiters.delete(waiter);
  }

  /** Calls back whenever it is looked at, for ever. */
  onLook(listener: () => void): void {
    const look = (): boolean => {
      listener();
      return false;
    };
    this.#waiters.add({ look });
  }

  /** Resolves as soon as it is true; rejects as soon as that cannot be told, or when it takes too long. */
  async until(isTrue: () => boolean): Promise<void> {
    await this.#wait(() => (isTrue() ? true : undefined), isTrue).promise;
  }

  /** Resolves with what is found, now or later. `asked` is what is told of it where it is not. */
  async find<T>(search: () => T | undefined, asked: unknown = search): Promise<T> {
    return this.#wait(search, asked).promise;
  }

  #wait<T>(search: () => T | undefined, asked: unknown): PromiseWithResolvers<T> {
    const waiting = Promise.withResolvers<T>();
    const look = (): boolean => {
      try {
        const found = search();
        if (found === undefined) return false;
        waiting.resolve(found);
      } catch (error) {
        waiting.reject(error);
      }
      clearTimeout(timer);
      return true;
    };
    const waiter = { look };
    // It keeps no process alive: one in which nothing more can happen ends at once.
    const timer = setTimeout(() => {
      if (!look()) waiting.reject(new Error(`waited in vain for: ${String(asked)}\n${this.#explain()}`));
      this.#waiters.delete(waiter);
    }, this.#patienceMs).unref();
    if (!look()) this.#waiters.add(waiter);
    return waiting;
  }
}
