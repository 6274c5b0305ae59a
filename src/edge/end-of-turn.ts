/**
 * Does at the end of a turn of the event loop, in one go, what was asked for in it. A write wakes the process that reads it, and
 * with little work between two writes that process has fallen asleep again by the second one: waking it costs more than writing.
 * Written one right after the other, many writes wake it once.
 */
export class EndOfTurn {
  #work: (() => void)[] = [];

  /** `work` must not throw. */
  add(work: () => void): void {
    this.#work.push(work);
    if (this.#work.length > 1) return;
    setImmediate(() => {
      const all = this.#work;
      this.#work = [];
      for (const one of all) one();
    });
  }
}
