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

  /** False, and nothing counted: there are as many as there may be. */
  take(): boolean {
    if (this.#count >= this.#limit) return false;
    this.#count += 1;
    return true;
  }

  give(): void {
    this.#count -= 1;
  }
}
