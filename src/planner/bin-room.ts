import type { PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import { couldHold, type Bin } from '../domain/pool.ts';
import { NO_RESOURCES, amountOf, covers, plus, type Resources } from '../domain/resources.ts';
import { Space, type Hold, type Level } from './space.ts';

/** What some replicas take together. */
export interface Load {
  readonly footprint: Resources;
  readonly replicas: number;
}

export const NO_LOAD: Load = { footprint: NO_RESOURCES, replicas: 0 };

/** Room that is set aside. */
interface Held {
  readonly need: Resources;
  /** When it was set aside, no limit stood in its way. */
  readonly isMet: boolean;
}

/** A load that grows. */
class Sum implements Load {
  readonly footprint = new Map<string, number>();
  replicas = 0;

  add(more: Resources): void {
    for (const [name, amount] of more) this.footprint.set(name, amountOf(this.footprint, name) + amount);
    this.replicas += 1;
  }
}

/** What all of these take together, and `besides`. */
export function together(footprints: readonly Resources[], besides: Load): Load {
  const sum = new Sum();
  for (const [name, amount] of besides.footprint) sum.footprint.set(name, amount);
  for (const footprint of footprints) sum.add(footprint);
  sum.replicas += besides.replicas;
  return sum;
}

/** One bin while a plan is made. */
export class BinRoom {
  readonly bin: Bin;
  readonly #space: Space | undefined;
  readonly #limits: readonly LearnedLimit[];
  readonly #inUse = new Sum();
  readonly #soon = new Sum();
  readonly #later = new Sum();
  /** Of what leaves late: for whose sake. */
  readonly #laterFor = new Map<PresetUid, Load>();
  /** For whom room is set aside, the first first, and how much. */
  readonly #held = new Map<PresetUid, Held>();

  /** `limits`: those of this bin that are in force. */
  constructor(bin: Bin, limits: readonly LearnedLimit[]) {
    this.bin = bin;
    this.#space = bin.size === undefined ? undefined : new Space(bin.size);
    this.#limits = limits;
  }

  /** Those for whom room is set aside here, the first first. */
  get holders(): readonly PresetUid[] {
    return [...this.#held.keys()];
  }

  /** Whether it would have room if it were empty. */
  couldHold(need: Resources): boolean {
    return couldHold(this.bin, need);
  }

  /** How much it is too small even when it is empty, as a part of the need. */
  tooSmallBy(need: Resources): number {
    const { size } = this.bin;
    if (size === undefined) return 0;
    let missing = 0;
    for (const [name, amount] of need) missing += Math.max(0, amount - amountOf(size, name)) / Math.max(1, amount);
    return missing;
  }

  occupy(footprint: Resources): void {
    this.#inUse.add(footprint);
    this.#space?.occupy(footprint);
  }

  /** Something that is here leaves; late: for `beneficiary`, if for anybody. */
  leave(footprint: Resources, level: 'soon' | 'later', beneficiary: PresetUid | undefined): void {
    (level === 'soon' ? this.#soon : this.#later).add(footprint);
    if (level === 'later' && beneficiary !== undefined) {
      this.#laterFor.set(beneficiary, together([footprint], this.#meantFor(beneficiary)));
    }
    this.#space?.leave(footprint, level);
  }

  /** What leaves late for this preset's sake, and is not set aside for another. */
  laterFor(uid: PresetUid): Load {
    const { footprint, replicas } = this.#meantFor(uid);
    if (this.#space === undefined) return { footprint, replicas };
    const left = this.#space.late;
    return {
      footprint: new Map([...footprint].map(([name, n]) => [name, Math.min(n, amountOf(left, name))])),
      replicas,
    };
  }

  /** Whether there is room at a level, if `more` left besides. */
  has(need: Resources, level: Level, more: Load = NO_LOAD): boolean {
    if (this.#space?.has(need, level, more.footprint) === false) return false;
    if (this.#isRefused(need, level, more, this.#heldNeeds)) return false;
    return !this.#isInTheWay(need, more);
  }

  /** Of what there is too much, of what stays but for `more`. */
  excess(more: Load): readonly string[] {
    return this.#space === undefined ? [] : this.#space.excess(more.footprint);
  }

  /** What would be left of what it has if this were placed here, as a part of it from 0 to 1, summed over all resources. */
  leftover(need: Resources): number {
    if (this.#space === undefined) return Infinity;
    let left = 0;
    for (const [name, size] of this.#space.size) {
      if (size > 0) left += (this.#space.free(name) - amountOf(need, name)) / size;
    }
    return left;
  }

  /** How much is missing, whatever leaves, as a part of the bin. */
  shortage(need: Resources): number {
    if (this.#space === undefined) return 0;
    let missing = 0;
    for (const [name, amount] of need) {
      const size = amountOf(this.#space.size, name);
      if (size > 0) missing += Math.max(0, this.#space.shortage(name, amount, 'later', NO_RESOURCES)) / size;
    }
    return missing;
  }

  /** Sets room aside for a preset: see `Space.hold`. */
  hold(uid: PresetUid, need: Resources, late: Load, free: 'first' | 'last'): Hold | undefined {
    const isMet = !this.#isFull(need, [...this.#heldNeeds, need], [this.#soon, late]);
    this.#held.set(uid, { need, isMet });
    return this.#space?.hold(need, late.footprint, free);
  }

  release(uid: PresetUid, hold: Hold | undefined): void {
    this.#held.delete(uid);
    if (hold !== undefined) this.#space?.release(hold);
  }

  /** All that leaves late. */
  get later(): Load {
    return this.#later;
  }

  /** Whether there would be room if none were set aside. */
  hasButForHolds(need: Resources, level: Level, more: Load): boolean {
    const held = this.#space === undefined ? NO_RESOURCES : this.#space.held(level);
    if (this.#space?.has(need, level, plus(more.footprint, held)) === false) return false;
    return !this.#isRefused(need, level, more, []);
  }

  /** Whether there would be room now, if the scheduler had not said otherwise. */
  hasByItsSize(need: Resources): boolean {
    return this.#space?.has(need, 'free', NO_RESOURCES) !== false;
  }

  /** The limits that this footprint falls under. */
  limitsFor(need: Resources): readonly LearnedLimit[] {
    return this.#limits.filter(({ footprint }) => covers(need, footprint));
  }

  #meantFor(uid: PresetUid): Load {
    const load = this.#laterFor.get(uid);
    return load === undefined ? NO_LOAD : load;
  }

  get #heldNeeds(): readonly Resources[] {
    return [...this.#held.values()].map(({ need }) => need);
  }

  /** Whether a limit says so. What is set aside counts as if it were in use already: where the size is unknown, nothing else keeps it. */
  #isRefused(need: Resources, level: Level, more: Load, held: readonly Resources[]): boolean {
    const gone = [more, ...(level === 'free' ? [] : [this.#soon]), ...(level === 'later' ? [this.#later] : [])];
    return this.#isFull(need, [...held, need], gone);
  }

  /**
   * Whether one for which room is set aside would be refused because of this, which may be too small to be refused itself:
   * what others leave for the one is not for the other to have.
   */
  #isInTheWay(need: Resources, more: Load): boolean {
    if (this.#limits.length === 0) return false;
    const all = [...this.#heldNeeds, need];
    const gone = [this.#soon, this.#later, more];
    return [...this.#held.values()].some(({ need: kept, isMet }) => isMet && this.#isFull(kept, all, gone));
  }

  /** Whether a limit that `need` falls under is reached, with all of `coming`, and without what is `gone`. */
  #isFull(need: Resources, coming: readonly Resources[], gone: readonly Load[]): boolean {
    const limits = this.limitsFor(need);
    if (limits.length === 0) return false;
    const used = together(coming, this.#inUse);
    const left = (name: string): number =>
      gone.reduce((rest, { footprint }) => rest - amountOf(footprint, name), amountOf(used.footprint, name));
    const replicas = gone.reduce((rest, load) => rest - load.replicas, used.replicas);
    return limits.some(
      (limit) => replicas >= limit.replicas && [...limit.total].every(([name, all]) => left(name) >= all),
    );
  }
}
