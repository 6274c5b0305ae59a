import { binName, type BinName, type PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { causeOf, holdsCapacity, type DrainCause, type Replica } from '../domain/replica.ts';
import { amountOf, type Resources } from '../domain/resources.ts';
import type { Instant } from '../domain/units.ts';
import { BinRoom, NO_LOAD, together, type Load } from './bin-room.ts';
import { byIdleness, findCandidates, isIdle, type Candidate } from './candidates.ts';
import type { Draft } from './draft.ts';
import { allOf, takenBy, type Look } from './look.ts';
import type { Hold, Level } from './space.ts';
import type { Wish } from './wishes.ts';

/** What a replica takes of `maxLoaded`, which is counted as a resource of the pool. */
const ONE: Resources = new Map([['replicas', 1]]);

/** Room that is kept for a preset. */
interface Kept {
  readonly bin: BinRoom;
  readonly inBin: Hold | undefined;
  readonly inPool: Hold | undefined;
}

/** One pool while a plan is made: what is free, what leaves, who could leave. */
export class Room {
  readonly pool: Pool;
  readonly bins: readonly BinRoom[];
  /** Ready replicas in the order in which they would leave if they were idle. */
  readonly candidates: readonly Candidate[];
  readonly #look: Look;
  readonly #draft: Draft;
  /** `maxLoaded`, as a bin of its own. */
  readonly #slots: BinRoom;
  readonly #byName: ReadonlyMap<BinName, BinRoom>;
  readonly #byBin: ReadonlyMap<BinRoom, Candidate[]>;
  readonly #idleByBin: ReadonlyMap<BinRoom, Candidate[]>;
  readonly #replicas: readonly Replica[];
  readonly #holders = new Set<PresetUid>();
  readonly #leaving = new Set<PresetUid>();
  readonly #kept = new Map<PresetUid, Kept>();
  /** Where room was reserved for those whose turn is yet to come, and since when they have waited. */
  readonly #reserved = new Map<Preset, { readonly bin: BinRoom; readonly since: Instant }>();

  constructor(pool: Pool, look: Look, draft: Draft) {
    const limits = look.input.learnedLimits.filter((limit) => limit.pool === pool.name && limit.until > look.input.now);
    this.pool = pool;
    this.#replicas = allOf(look.byPool, pool.name);
    this.#look = look;
    this.#draft = draft;
    this.bins = pool.bins
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(
        (bin) =>
          new BinRoom(
            bin,
            limits.filter((limit) => limit.bin === bin.name),
          ),
      );
    const size = pool.maxLoaded === 0 ? undefined : new Map([['replicas', pool.maxLoaded]]);
    this.#slots = new BinRoom({ name: binName('slots'), size }, []);
    this.#byName = new Map(this.bins.map((bin) => [bin.bin.name, bin]));
    this.#byBin = new Map(this.bins.map((bin) => [bin, []]));
    this.#idleByBin = new Map(this.bins.map((bin) => [bin, []]));
    for (const replica of this.#replicas) this.#occupy(replica);
    this.candidates = findCandidates(this.#replicas, pool, look, draft).sort(byIdleness);
    for (const one of this.candidates) {
      for (const bin of this.#binsOf(one.replica)) {
        this.#byBin.get(bin)?.push(one);
        if (isIdle(one)) this.#idleByBin.get(bin)?.push(one);
      }
    }
  }

  /** The free bin in which it would leave the least; `undefined`: it fits nowhere now. */
  place(need: Resources, bins: readonly BinRoom[] = this.bins): BinRoom | undefined {
    if (!this.#slots.has(ONE, 'free')) return undefined;
    let best: BinRoom | undefined;
    for (const bin of bins) {
      if (bin.has(need, 'free') && (best === undefined || bin.leftover(need) < best.leftover(need))) best = bin;
    }
    return best;
  }

  start(preset: Preset, bin: BinRoom): void {
    bin.occupy(preset.footprint);
    this.#slots.occupy(ONE);
    this.#draft.starts.push({ preset, bin: bin.bin.name });
  }

  /** Drains one, which may lie in another pool. */
  drain(replica: Replica, cause: DrainCause): void {
    this.#draft.drains.set(replica.id, cause);
    if (replica.pool === this.pool.name) this.#leave(replica, cause);
  }

  /** Those that hold its room. */
  get holders(): readonly PresetUid[] {
    return [...this.#holders];
  }

  /** Those whose replicas leave. */
  get leaving(): readonly PresetUid[] {
    return [...this.#leaving];
  }

  /** All candidates that stay. */
  get staying(): readonly Candidate[] {
    return this.#stayingOf(this.candidates);
  }

  /** The limits that a preset falls under. */
  limitsFor({ footprint }: Preset): readonly LearnedLimit[] {
    return this.bins.flatMap((bin) => bin.limitsFor(footprint));
  }

  hasSlot(): boolean {
    return this.#slots.has(ONE, 'free');
  }

  /** The first bin in which a preset would find room at a level. */
  roomFor(preset: Preset, level: Level): BinRoom | undefined {
    return this.#hasSlot(preset, level, 0) ? this.#roomyBin(preset, level) : undefined;
  }

  /** Whether a preset would find room at a level if some of one bin left besides, for any of them. */
  enoughIn(bin: BinRoom, preset: Preset, level: Level): (leaving: readonly Candidate[]) => boolean {
    const elsewhere = this.#roomyBin(preset, level) !== undefined;
    const own = level === 'soon' ? bin.laterFor(preset.uid) : NO_LOAD;
    return (leaving) => {
      if (!this.#hasSlot(preset, level, leaving.length)) return false;
      return elsewhere || bin.has(preset.footprint, level, this.#together(leaving, own));
    };
  }

  /** For whom the room is kept that would be enough; `undefined`: it is not. */
  keptFor({ uid, footprint }: Preset): PresetUid | undefined {
    if (!this.#slots.hasButForHolds(ONE, 'soon', this.#slots.laterFor(uid))) return undefined;
    const bin = this.bins.find((one) => one.hasButForHolds(footprint, 'soon', one.laterFor(uid)));
    return bin === undefined ? undefined : [...bin.holders, ...this.#slots.holders].at(0);
  }

  /**
   * Keeps room for a preset, also of `all` that leaves late, or of that only what leaves for its `own` sake. What is free is kept
   * `first` for one that has waited for long.
   */
  keep({ uid, footprint }: Preset, bin: BinRoom, late: 'own' | 'all', free: 'first' | 'last'): void {
    this.giveBack(uid);
    const leaving = (of: BinRoom): Load => (late === 'all' ? of.later : of.laterFor(uid));
    const inBin = bin.hold(uid, footprint, leaving(bin), free);
    const inPool = this.#slots.hold(uid, ONE, leaving(this.#slots), free);
    this.#kept.set(uid, { bin, inBin, inPool });
  }

  /** Now it is the turn of a preset: what was reserved for it until then is free again. */
  takeTurn(preset: Preset): void {
    this.#reserved.delete(preset);
    this.giveBack(preset.uid);
  }

  /** Gives back what is kept for a preset, if anything is. */
  giveBack(uid: PresetUid): void {
    const kept = this.#kept.get(uid);
    if (kept === undefined) return;
    kept.bin.release(uid, kept.inBin);
    this.#slots.release(uid, kept.inPool);
    this.#kept.delete(uid);
  }

  /** Where room is kept for a preset. */
  binKeptFor(uid: PresetUid): BinName | undefined {
    return this.#kept.get(uid)?.bin.bin.name;
  }

  /** The bin that comes nearest to having room for a preset, of those that could if all left for it that ever may. */
  nearest({ footprint, priority }: Preset): BinRoom | undefined {
    // One of a higher priority that is in use leaves for nobody, however long that lasts.
    const mayLeave = (one: Candidate): boolean => one.kind !== 'protected' && (isIdle(one) || one.priority <= priority);
    const able = this.bins.filter((bin) => {
      const leaving = this.candidatesIn(bin).filter(mayLeave);
      const coming = this.#coming.filter((replica) => this.#binsOf(replica).includes(bin));
      const all = [...leaving.map(({ replica }) => replica), ...coming].map((replica) => takenBy(replica, this.#look));
      return bin.has(footprint, 'later', together(all, NO_LOAD));
    });
    const [nearest] = able.toSorted((a, b) => a.shortage(footprint) - b.shortage(footprint));
    return nearest;
  }

  /** Keeps room where it was kept before, or else where there will be any, so that nobody takes it. */
  reserve({ preset, since }: Wish, name: BinName): void {
    const before = this.#byName.get(name);
    const isThere = before?.has(preset.footprint, 'later') === true && this.#hasSlot(preset, 'later', 0);
    const bin = isThere ? before : this.roomFor(preset, 'later');
    if (bin === undefined) return;
    this.keep(preset, bin, 'all', 'first');
    this.#reserved.set(preset, { bin, since });
  }

  /** Younger ones of no higher priority for whom room was reserved, and whose turn is yet to come, take what leaves late, as far as there is any. */
  letPass({ preset: { priority }, since }: Wish): void {
    for (const [preset, reserved] of this.#reserved) {
      if (preset.priority <= priority && reserved.since >= since) this.keep(preset, reserved.bin, 'all', 'last');
    }
  }

  /** Whether nobody who waits for room could use this bin. */
  isSpare(bin: BinRoom, waiting: readonly Preset[]): boolean {
    if (waiting.length > 0 && this.pool.maxLoaded > 0) return false;
    return !waiting.some(({ footprint }) => bin.couldHold(footprint));
  }

  /** Those in one bin. */
  candidatesIn(bin: BinRoom): readonly Candidate[] {
    return this.#stayingOf(allOf(this.#byBin, bin));
  }

  /** Those in one bin that have nothing to do. */
  idleIn(bin: BinRoom): readonly Candidate[] {
    return this.#stayingOf(allOf(this.#idleByBin, bin));
  }

  /** Of what more is in use than there is in a bin, by what stays but these of it. */
  excessIn(bin: BinRoom, leaving: readonly Candidate[]): readonly string[] {
    return bin.excess(this.#together(leaving, NO_LOAD));
  }

  /** Whether more replicas than `maxLoaded` stay, but these. */
  isOverfull(leaving: readonly Candidate[]): boolean {
    return this.#slots.excess(slots(leaving.length)).length > 0;
  }

  /** Whether it takes anything of these resources. */
  takesAny({ replica }: Candidate, names: readonly string[]): boolean {
    return names.some((name) => amountOf(takenBy(replica, this.#look), name) > 0);
  }

  #hasSlot(preset: Preset, level: Level, leaving: number): boolean {
    const own = level === 'soon' ? amountOf(this.#slots.laterFor(preset.uid).footprint, 'replicas') : 0;
    return this.#slots.has(ONE, level, slots(own + leaving));
  }

  /** What leaves late for the preset's own sake counts at once. */
  #roomyBin({ uid, footprint }: Preset, level: Level): BinRoom | undefined {
    return this.bins.find((bin) => bin.has(footprint, level, level === 'soon' ? bin.laterFor(uid) : NO_LOAD));
  }

  #together(leaving: readonly Candidate[], besides: Load): Load {
    return together(
      leaving.map(({ replica }) => takenBy(replica, this.#look)),
      besides,
    );
  }

  #stayingOf(candidates: readonly Candidate[]): readonly Candidate[] {
    return candidates.filter(({ replica }) => this.#draft.isStaying(replica));
  }

  #occupy(replica: Replica): void {
    if (!holdsCapacity(replica)) return;
    this.#holders.add(replica.preset);
    for (const bin of this.#binsOf(replica)) bin.occupy(takenBy(replica, this.#look));
    this.#slots.occupy(ONE);
    if (!this.#draft.isStaying(replica)) this.#leave(replica, causeOf(replica));
  }

  /** Where nobody knows where a replica lies, it lies everywhere. */
  #binsOf({ bin }: Replica): readonly BinRoom[] {
    if (bin === undefined) return this.bins;
    const found = this.#byName.get(bin);
    return found === undefined ? [] : [found];
  }

  /** Those that may leave one day, but are not ready yet. */
  get #coming(): readonly Replica[] {
    return this.#replicas.filter(({ id, state }) => state.kind === 'starting' || this.#draft.returning.has(id));
  }

  /** Late is only what is known to be in use: about what nobody knows there is news soon. */
  #leave(replica: Replica, cause: DrainCause | undefined): void {
    this.#leaving.add(replica.preset);
    const inFlight = this.#look.input.inFlight.get(replica.id);
    const level = replica.state.kind !== 'stopping' && inFlight !== undefined && inFlight > 0 ? 'later' : 'soon';
    const beneficiary = cause !== undefined && 'beneficiary' in cause ? cause.beneficiary : undefined;
    for (const bin of this.#binsOf(replica)) bin.leave(takenBy(replica, this.#look), level, beneficiary);
    this.#slots.leave(ONE, level, beneficiary);
  }
}

/** So many replicas, as a load of `maxLoaded`. */
const slots = (replicas: number): Load => ({ footprint: new Map([['replicas', replicas]]), replicas });
