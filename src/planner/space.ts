import { amountOf, plus, type Resources } from '../domain/resources.ts';

/** Counted free now; with what is about to be free; or with everything that leaves, however long that takes. */
export type Level = 'free' | 'soon' | 'later';

/** What is set aside, and of what. */
export interface Hold {
  readonly free: Resources;
  readonly soon: Resources;
  readonly later: Resources;
}

type Amounts = Map<string, number>;

const add = (amounts: Amounts, name: string, amount: number): void => {
  if (amount !== 0) amounts.set(name, amountOf(amounts, name) + amount);
};

/** Room of a known size while a plan is made. More may be in use than there is: then less than nothing is free. */
export class Space {
  readonly size: Resources;
  readonly #free: Amounts;
  readonly #soon: Amounts = new Map();
  readonly #later: Amounts = new Map();
  /** All that is set aside. */
  readonly #held = {
    free: new Map<string, number>(),
    soon: new Map<string, number>(),
    later: new Map<string, number>(),
  };

  constructor(size: Resources) {
    this.size = size;
    this.#free = new Map(size);
  }

  /** What is free now, and set aside for nobody. */
  free(name: string): number {
    return amountOf(this.#free, name);
  }

  /** Something is here. */
  occupy(footprint: Resources): void {
    for (const name of this.size.keys()) add(this.#free, name, -amountOf(footprint, name));
  }

  /** Something that is here leaves. */
  leave(footprint: Resources, level: 'soon' | 'later'): void {
    const amounts = level === 'soon' ? this.#soon : this.#later;
    for (const name of this.size.keys()) add(amounts, name, amountOf(footprint, name));
  }

  /** How much is missing of one resource at a level, counting `more` as there; 0 or less: nothing. */
  shortage(name: string, need: number, level: Level, more: Resources): number {
    let there = amountOf(this.#free, name) + amountOf(more, name);
    if (level !== 'free') there += amountOf(this.#soon, name);
    if (level === 'later') there += amountOf(this.#later, name);
    return need - there;
  }

  /** Whether there is room. Needing none of a resource is always met, also where too much of it is in use. */
  has(need: Resources, level: Level, more: Resources): boolean {
    for (const [name, amount] of need) {
      if (amount > 0 && (!this.size.has(name) || this.shortage(name, amount, level, more) > 0)) return false;
    }
    return true;
  }

  /** What leaves late, and is set aside for nobody. */
  get late(): Resources {
    return this.#later;
  }

  /** Of what there is too much even when everything has left that leaves, and `more` with it. */
  excess(more: Resources): readonly string[] {
    return [...this.size.keys()].filter((name) => this.shortage(name, 0, 'later', more) > 0);
  }

  /** What is set aside of all that counts at a level. */
  held(level: Level): Resources {
    const { free, soon, later } = this.#held;
    if (level === 'free') return free;
    return level === 'soon' ? plus(free, soon) : plus(plus(free, soon), later);
  }

  /** Sets room aside: up to `later` of what leaves late, then of what is about to be free, then of what is free, as far as there is any. */
  hold(need: Resources, later: Resources): Hold {
    const hold = { free: new Map<string, number>(), soon: new Map<string, number>(), later: new Map<string, number>() };
    for (const [name, amount] of need) {
      const late = this.#part(this.#later, name, Math.min(amount, amountOf(later, name)));
      const soon = this.#part(this.#soon, name, amount - late);
      hold.later.set(name, late);
      hold.soon.set(name, soon);
      hold.free.set(name, this.#part(this.#free, name, amount - late - soon));
    }
    this.#move(hold, 1);
    return hold;
  }

  /** Takes a hold back. */
  release(hold: Hold): void {
    this.#move(hold, -1);
  }

  #part(from: Amounts, name: string, wanted: number): number {
    return Math.max(0, Math.min(wanted, amountOf(from, name)));
  }

  #move(hold: Hold, sign: 1 | -1): void {
    const levels = [
      [hold.free, this.#free, this.#held.free],
      [hold.soon, this.#soon, this.#held.soon],
      [hold.later, this.#later, this.#held.later],
    ] as const;
    for (const [amounts, from, held] of levels) {
      for (const [name, amount] of amounts) {
        add(from, name, -sign * amount);
        add(held, name, sign * amount);
      }
    }
  }
}
