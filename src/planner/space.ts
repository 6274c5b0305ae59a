import { NO_RESOURCES, amountOf, plus, type Resources } from '../domain/resources.ts';

/** Counted free now; with what is about to be free; or with everything that leaves, however long that takes. */
export type Level = 'free' | 'soon' | 'later';

/** The levels, the earliest first. */
const SOONEST: readonly Level[] = ['free', 'soon', 'later'];

/** What is set aside, and of what. */
export type Hold = Readonly<Record<Level, Resources>>;

type Amounts = Map<string, number>;

const add = (amounts: Amounts, name: string, amount: number): void => {
  if (amount !== 0) amounts.set(name, amountOf(amounts, name) + amount);
};

/** Room of a known size while a plan is made. More may be in use than there is: then less than nothing is free. */
export class Space {
  readonly size: Resources;
  /** What is set aside for nobody. */
  readonly #left: Record<Level, Amounts>;
  readonly #held = nothing();

  constructor(size: Resources) {
    this.size = size;
    this.#left = { ...nothing(), free: new Map(size) };
  }

  /** What is free now, and set aside for nobody. */
  free(name: string): number {
    return amountOf(this.#left.free, name);
  }

  /** Something is here. */
  occupy(footprint: Resources): void {
    for (const name of this.size.keys()) add(this.#left.free, name, -amountOf(footprint, name));
  }

  /** Something that is here leaves. */
  leave(footprint: Resources, level: 'soon' | 'later'): void {
    for (const name of this.size.keys()) add(this.#left[level], name, amountOf(footprint, name));
  }

  /** How much is missing of one resource at a level, counting `more` as there; 0 or less: nothing. */
  shortage(name: string, need: number, level: Level, more: Resources): number {
    let there = amountOf(this.#left.free, name) + amountOf(more, name);
    if (level !== 'free') there += amountOf(this.#left.soon, name);
    if (level === 'later') there += amountOf(this.#left.later, name);
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
    return this.#left.later;
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

  /**
   * Sets room aside as far as there is any, at most `later` of what leaves late. What is free is taken `last`, so that others can use
   * it in the meantime, or `first`, so that it is had as early as can be.
   */
  hold(need: Resources, later: Resources, free: 'first' | 'last'): Hold {
    const hold = nothing();
    for (const [name, amount] of need) {
      // Where too much is in use, a part of what leaves is nobody's to have.
      let rest = Math.max(0, Math.min(amount, -this.shortage(name, 0, 'later', NO_RESOURCES)));
      const take = (level: Level): void => {
        const there = Math.max(0, amountOf(this.#left[level], name));
        const taken = Math.min(rest, there, level === 'later' ? amountOf(later, name) : rest);
        hold[level].set(name, taken);
        rest -= taken;
      };
      for (const level of free === 'first' ? SOONEST : SOONEST.toReversed()) take(level);
    }
    this.#move(hold, 1);
    return hold;
  }

  /** Takes a hold back. */
  release(hold: Hold): void {
    this.#move(hold, -1);
  }

  #move(hold: Hold, sign: 1 | -1): void {
    for (const level of SOONEST) {
      for (const [name, amount] of hold[level]) {
        add(this.#left[level], name, -sign * amount);
        add(this.#held[level], name, sign * amount);
      }
    }
  }
}

const nothing = (): Record<Level, Amounts> => ({ free: new Map(), soon: new Map(), later: new Map() });
