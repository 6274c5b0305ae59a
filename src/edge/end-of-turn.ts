/**
 * Work of the second rank that is done at the end of one turn. Each piece holds up what the next turn brings by some ten
 * microseconds, and a turn of its own costs as much as one piece or two.
 */
const SECOND_RANK_PER_TURN = 16;

/**
 * Does at the end of a turn of the event loop, in one go, what was asked for in it. A write wakes the process that reads it, and
 * with little work between two writes that process has fallen asleep again by the second one: waking it costs more than writing.
 * Written one right after the other, many writes wake it once.
 *
 * Work of the second rank comes after that, and no more than a few of it in one turn, in the order in which it came: however much
 * of it there is, the rest waits no longer for it than that takes.
 */
export class EndOfTurn {
  #work: (() => void)[] = [];
  readonly #secondRank: (() => void)[] = [];
  #isSet = false;

  /** `work` must not throw. */
  add(work: () => void): void {
    this.#work.push(work);
    this.#set();
  }

  /** `work` must not throw. */
  addSecondRank(work: () => void): void {
    this.#secondRank.push(work);
    this.#set();
  }

  #set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    setImmediate(() => {
      this.#isSet = false;
      this.#end();
    });
  }

  #end(): void {
    const all = [...this.#work, ...this.#secondRank.splice(0, SECOND_RANK_PER_TURN)];
    this.#work = [];
    if (this.#secondRank.length > 0) this.#set();
    for (const one of all) one();
  }
}
