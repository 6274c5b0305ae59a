/** A line, first in first out, whose ends cost the same however long it is. */
export class WaitLine<T> {
  #items: T[] = [];
  #left = 0;

  /** `undefined`: it is empty. */
  get first(): T | undefined {
    return this.#items[this.#left];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const first = this.#items[this.#left];
    if (first === undefined) return undefined;
    this.#left += 1;
    if (this.#left > 64 && this.#left * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#left);
      this.#left = 0;
    }
    return first;
  }
}
