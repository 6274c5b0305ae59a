import type { BinName } from '../../domain/ids.ts';
import type { Bin, Pool } from '../../domain/pool.ts';
import type { Replica } from '../../domain/replica.ts';
import { amountOf, covers, NO_RESOURCES, type Resources } from '../../domain/resources.ts';

/** What is left in one bin. */
interface Space {
  readonly bin: Bin;
  left: Resources;
}

/** What is left in every bin of a pool beside some replicas, for the policies that have no planner of their own. */
export class BinSpace {
  readonly #spaces: ReadonlyMap<BinName, Space>;
  /** Replicas that may still come, over all bins. */
  #slots: number;

  constructor(pool: Pool, holders: readonly Replica[]) {
    this.#spaces = new Map(
      pool.bins.map((bin) => [bin.name, { bin, left: bin.size === undefined ? NO_RESOURCES : bin.size }]),
    );
    this.#slots = pool.maxLoaded === 0 ? Infinity : pool.maxLoaded;
    for (const { bin, footprint } of holders) if (bin !== undefined) this.take(bin, footprint);
  }

  /**
   * The bin with room for `need`, here and in `other`, in which least is left beside it; ties go to the first.
   * `undefined`: there is none.
   */
  fit(need: Resources, other: BinSpace = this): BinName | undefined {
    let best: { readonly name: BinName; readonly left: number } | undefined;
    for (const [name, space] of this.#spaces) {
      if (!this.fitsIn(name, need) || !other.fitsIn(name, need)) continue;
      const left = shareLeft(space, need);
      if (best === undefined || left < best.left) best = { name, left };
    }
    return best?.name;
  }

  fitsIn(name: BinName, need: Resources): boolean {
    const space = this.#spaces.get(name);
    if (space === undefined || this.#slots < 1) return false;
    return space.bin.size === undefined || covers(space.left, need);
  }

  take(name: BinName, need: Resources): void {
    this.#change(name, need, -1);
  }

  give(name: BinName, need: Resources): void {
    this.#change(name, need, 1);
  }

  #change(name: BinName, need: Resources, sign: 1 | -1): void {
    const space = this.#spaces.get(name);
    if (space === undefined) throw new Error(`there is no bin ${name}`);
    const left = new Map(space.left);
    for (const [resource, amount] of need) left.set(resource, amountOf(left, resource) + sign * amount);
    space.left = left;
    this.#slots += sign;
  }
}

/** How much of a bin would be left, as the sum of each needed resource's share. */
function shareLeft({ bin, left }: Space, need: Resources): number {
  let sum = 0;
  for (const [resource, amount] of need) {
    const size = bin.size === undefined ? 0 : amountOf(bin.size, resource);
    if (size > 0) sum += (amountOf(left, resource) - amount) / size;
  }
  return sum;
}
