/** How many there are of something for each client address, never more than a limit for one. */
export class AddressCounts {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Addresses that have some. */
  get size(): number {
    return this.#counts.size;
  }

  /** False, and nothing counted: the address has as many as it may have. */
  take(address: string): boolean {
    const before = this.#counts.get(address);
    const count = before === undefined ? 1 : before + 1;
    if (count > this.#limit) return false;
    this.#counts.set(address, count);
    return true;
  }

  give(address: string): void {
    const count = this.#counts.get(address);
    if (count === undefined || count <= 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}
