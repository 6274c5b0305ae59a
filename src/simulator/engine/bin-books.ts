import type { BinName } from '../../domain/ids.ts';
import type { Pool } from '../../domain/pool.ts';
import type { Replica } from '../../domain/replica.ts';
import { amountOf, covers, NO_RESOURCES, plus, type Resources } from '../../domain/resources.ts';

/** What every bin holds. The judge of the policies: counts by itself and believes nobody. */
export class BinBooks {
  readonly #maxLoaded: number;
  readonly #sizes: ReadonlyMap<BinName, Resources | undefined>;
  readonly #used = new Map<BinName, Resources>();
  #held = 0;

  constructor({ maxLoaded, bins }: Pool) {
    this.#maxLoaded = maxLoaded;
    this.#sizes = new Map(bins.map(({ name, size }) => [name, size]));
    for (const name of this.#sizes.keys()) this.#used.set(name, NO_RESOURCES);
  }

  /** Throws if it is more than there is. */
  take({ id, bin, footprint }: Replica): void {
    const used = bin === undefined ? undefined : this.#used.get(bin);
    if (bin === undefined || used === undefined)
      throw new Error(`${id} was started in the bin ${String(bin)}, which is none`);
    if (this.#maxLoaded > 0 && this.#held >= this.#maxLoaded) {
      throw new Error(`${id} was started beside ${this.#held} others, with room for ${this.#maxLoaded}`);
    }
    const total = plus(used, footprint);
    const size = this.#sizes.get(bin);
    if (size !== undefined && !covers(size, total))
      throw new Error(`${id} was started in ${bin}, where it does not fit`);
    this.#used.set(bin, total);
    this.#held += 1;
  }

  free({ id, bin, footprint }: Replica): void {
    const used = bin === undefined ? undefined : this.#used.get(bin);
    if (bin === undefined || used === undefined)
      throw new Error(`${id} has left the bin ${String(bin)}, which is none`);
    this.#used.set(bin, minus(used, footprint));
    this.#held -= 1;
  }
}

function minus(a: Resources, b: Resources): Resources {
  const rest = new Map(a);
  for (const [name, amount] of b) rest.set(name, amountOf(a, name) - amount);
  return rest;
}
