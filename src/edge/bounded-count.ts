/** How many there are of something, never more than a limit. */
export class BoundedCount {
  readonly #limit: number;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** False, and nothing counted: there is no room for that many more. */
  take(more = 1): boolean {
    if (this.#count + more > this.#limit) return false;
    this.#count += more;
    return true;
  }

  give(back = 1): void {
    this.#count -= back;
  }
}
