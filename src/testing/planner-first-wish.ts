import type { PresetUid } from '../domain/ids.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive, type Replica, type ReplicaState } from '../domain/replica.ts';
import { amountOf } from '../domain/resources.ts';
import type { Plan, PlanInput } from '../planner/plan-input.ts';
import { wishesOf, type Wish } from './planner-checks.ts';
import {
  beneficiaryOf,
  cancelsOf,
  couldHold,
  drainsOf,
  footprintOf,
  findPool,
  fits,
  holdersOf,
  isCurrent,
  idleSinceOf,
  isIdle,
  lieIn,
  presetsOf,
} from './planner-oracle.ts';

/**
 * The wish of a pool that is granted first: what is free, and who could leave, is for it what the world says. So what has
 * to become of it can be found by trying everything.
 */
export interface FirstWish extends Wish {
  readonly pool: Pool;
  readonly isOverAge: boolean;
  /** Fairness drains for it already. */
  readonly isReserved: boolean;
  /** All that hold capacity in the pool. */
  readonly holders: readonly Replica[];
  /** Of those, the ones that stop, or drain and are not known to be in use, or drain for this very wish. */
  readonly soon: ReadonlySet<Replica>;
  /** And the ones that drain, however long that takes. */
  readonly later: ReadonlySet<Replica>;
  /** Those that may be evicted, in the order in which they would be. */
  readonly idle: readonly Replica[];
  /** Those that may leave for fairness besides, in the order in which they would. */
  readonly inUse: readonly Replica[];
}

/** At most one for each pool; none where it waits for something else than room, or where
 * what others get is decided first, or where it is two wishes in one. */
export function firstWishes(input: PlanInput, made: Plan): FirstWish[] {
  return input.pools.flatMap((pool) => {
    const [wish] = wishesOf(pool.name, input, made).filter(({ preset }) => takesPart(preset, pool, input));
    if (wish === undefined || pool.paused || wish.preset.scaling.minReplicas > 1) return [];
    const holders = holdersOf(input, pool);
    if (holders.some((one) => isOlder(one, input) || isForAnother(one, wish))) return [];
    const tooMany = drainsOf(made).some(({ cause }) => cause.kind === 'capacity');
    const own = input.replicas.filter((one) => one.preset === wish.preset.uid && one.state.kind !== 'failed');
    if (tooMany || own.length > wish.preset.scaling.maxReplicas) return [];
    return [describe(wish, pool, holders, { input, made })];
  });
}

function takesPart({ uid, footprint }: Preset, pool: Pool, { backOffs, orders, now }: PlanInput): boolean {
  const backOff = backOffs.get(uid);
  if (backOff !== undefined && backOff.until > now) return false;
  return orders.get(uid)?.kind !== 'unload' && pool.bins.some((bin) => couldHold(bin, footprint));
}

/** What becomes of it is decided after all wishes are. */
function isOlder(replica: Replica, input: PlanInput): boolean {
  const preset = presetsOf(input).get(replica.preset);
  return preset !== undefined && !isCurrent(replica, preset);
}

/** What it leaves is kept for somebody else. */
function isForAnother({ state }: Replica, { preset }: Wish): boolean {
  const whom = fairnessFor(state);
  return whom !== undefined && whom !== preset.uid;
}

const fairnessFor = (state: ReplicaState): PresetUid | undefined =>
  (state.kind === 'draining' || state.kind === 'stopping') && state.cause.kind === 'fairness'
    ? state.cause.beneficiary
    : undefined;

interface Situation {
  readonly input: PlanInput;
  readonly made: Plan;
}

function describe(wish: Wish, pool: Pool, holders: readonly Replica[], situation: Situation): FirstWish {
  const { input, made } = situation;
  const drained = new Map(drainsOf(made).map(({ replica, cause }) => [replica, cause]));
  const later = holders.filter(({ id, state }) => {
    if (state.kind === 'ready' || state.kind === 'starting') {
      const cause = drained.get(id);
      return cause !== undefined && beneficiaryOf(cause) === undefined;
    }
    return !cancelsOf(made).includes(id);
  });
  const soon = later.filter((one) => isSoon(one, wish, input));
  const staying = holders.filter((one) => !later.includes(one) && isLive(one));
  const isReserved = holders.some(({ state }) => fairnessFor(state) === wish.preset.uid);
  const isOverAge = pool.fairAfter > 0 && input.now - wish.since >= pool.fairAfter;
  const idle = staying.filter((one) => mayBeEvicted(one, staying, input)).sort(inTurn(staying, pool, input));
  const inUse = staying
    .filter((one) => !idle.includes(one) && mayLeaveInUse(one, wish, staying, input))
    .sort(byService(input));
  return { ...wish, pool, isOverAge, isReserved, holders, soon: new Set(soon), later: new Set(later), idle, inUse };
}

function isSoon({ id, state }: Replica, { preset }: Wish, input: PlanInput): boolean {
  const inFlight = input.inFlight.get(id);
  if (state.kind === 'stopping' || inFlight === undefined || inFlight === 0) return true;
  return state.kind === 'draining' && beneficiaryOf(state.cause) === preset.uid;
}

const isReady = ({ state }: Replica): boolean => state.kind === 'ready';

/** How many of its preset's ready replicas would stay without it and those before it in the order of leaving. */
function spare(replica: Replica, staying: readonly Replica[], input: PlanInput): number {
  const own = staying.filter((one) => one.preset === replica.preset && isReady(one));
  const turn = own.toSorted((a, b) => {
    const [busy, busier] = [busynessOf(a, input), busynessOf(b, input)];
    return busy === busier ? (a.id < b.id ? -1 : 1) : busy - busier;
  });
  return own.length - 1 - turn.indexOf(replica);
}

/** What nobody knows comes last. */
function busynessOf({ id }: Replica, { inFlight }: PlanInput): number {
  const here = inFlight.get(id);
  return here === undefined ? Infinity : here;
}

function isSurplus(replica: Replica, staying: readonly Replica[], input: PlanInput): boolean {
  const preset = presetsOf(input).get(replica.preset);
  if (preset === undefined || input.inFlight.get(replica.id) !== 0) return false;
  return spare(replica, staying, input) >= Math.max(1, preset.scaling.minReplicas);
}

function mayBeEvicted(replica: Replica, staying: readonly Replica[], input: PlanInput): boolean {
  const preset = presetsOf(input).get(replica.preset);
  const pool = findPool(input, replica.pool);
  if (preset === undefined || pool === undefined || replica.state.kind !== 'ready') return false;
  if (input.now - replica.state.since < pool.minResidency) return false;
  if (input.demand.has(preset.uid) || input.orders.has(preset.uid)) return false;
  if (!isKnown(replica, input)) return false;
  if (spare(replica, staying, input) < preset.scaling.minReplicas) return false;
  return isSurplus(replica, staying, input) || isIdle(replica, input);
}

/** Nothing but a removal or an edit has it leave. */
export function isProtected(replica: Replica, staying: readonly Replica[], input: PlanInput): boolean {
  const preset = presetsOf(input).get(replica.preset);
  if (preset === undefined || !isReady(replica) || !isKnown(replica, input)) return false;
  return spare(replica, staying, input) < preset.scaling.minReplicas;
}

const isKnown = ({ id, preset }: Replica, { inFlight, activity }: PlanInput): boolean => {
  const seen = activity.get(preset);
  return inFlight.has(id) && seen !== undefined && seen.kind !== 'unknown';
};

function mayLeaveInUse(replica: Replica, wish: Wish, staying: readonly Replica[], input: PlanInput): boolean {
  const preset = presetsOf(input).get(replica.preset);
  const pool = findPool(input, replica.pool);
  if (preset === undefined || pool === undefined || replica.state.kind !== 'ready') return false;
  const { since, loadTime } = replica.state;
  if (input.now - since < Math.max(pool.minResidency, loadTime ?? 0)) return false;
  const asking = input.demand.get(preset.uid);
  if (asking !== undefined && asking.since < since && input.now - since < pool.fairAfter) return false;
  if (!isKnown(replica, input) || preset.priority > wish.preset.priority) return false;
  return spare(replica, staying, input) >= preset.scaling.minReplicas;
}

/** What it takes of its bin, of the resource of which it takes most; all of one whose size nobody knows. */
function shareOf(replica: Replica, { bins }: Pool, input: PlanInput): number {
  const size = bins.find(({ name }) => name === replica.bin)?.size;
  if (size === undefined) return 1;
  const need = footprintOf(replica, presetsOf(input));
  return Math.max(0, ...[...size].map(([name, all]) => (all === 0 ? 0 : amountOf(need, name) / all)));
}

/** Who has served longest first, then by name. */
const byService =
  (input: PlanInput) =>
  (a: Replica, b: Replica): number => {
    const [since, than] = [a, b].map(({ state }) => (state.kind === 'ready' ? state.since : Infinity));
    return since === than ? byName(a, b, input) : Number(since) - Number(than);
  };

function byName(a: Replica, b: Replica, input: PlanInput): number {
  const [name, than] = [a, b].map(({ preset }) => String(presetsOf(input).get(preset)?.model));
  if (name !== than) return String(name) < String(than) ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** Surplus first, then the lower priority, then as the pool's policy has it, then the longest unused, then by name. */
function inTurn(staying: readonly Replica[], pool: Pool, input: PlanInput): (a: Replica, b: Replica) => number {
  const keys = (one: Replica): number[] => {
    const preset = presetsOf(input).get(one.preset);
    const idle = isIdle(one, input) ? idleSinceOf(one, input) : input.now;
    const turn = pool.eviction === 'LRUByIdle' ? idle : (idle - input.now) * shareOf(one, pool, input) ** 2;
    const seen = isIdle(one, input) ? input.activity.get(one.preset) : undefined;
    const used = seen?.kind === 'idle' ? seen.since : input.now;
    return [isSurplus(one, staying, input) ? 0 : 1, preset === undefined ? 0 : preset.priority, turn, used];
  };
  return (a, b) => {
    const [of, than] = [keys(a), keys(b)];
    const at = of.findIndex((key, index) => key !== than[index]);
    if (at < 0) return byName(a, b, input);
    return Number(of[at]) - Number(than[at]);
  };
}

/** Whether there would be room for it in a bin if all these were gone. */
export function isEnough(gone: ReadonlySet<Replica>, bin: Bin, first: FirstWish, input: PlanInput): boolean {
  const left = first.holders.filter((one) => !gone.has(one));
  return fits(first.preset.footprint, { bin, pool: first.pool }, left, presetsOf(input));
}

/** For each bin, every set of candidates of it that makes enough room for it, in whichever bin, when the others are gone, too. */
export function enoughSets(
  candidates: readonly Replica[],
  others: ReadonlySet<Replica>,
  first: FirstWish,
  input: PlanInput,
): (readonly Replica[])[][] {
  const { bins } = first.pool;
  return bins.map(({ name }) =>
    subsetsOf(candidates.filter((one) => lieIn(one, name))).filter((set) => {
      const gone = new Set([...others, ...set]);
      return bins.some((bin) => isEnough(gone, bin, first, input));
    }),
  );
}

function subsetsOf<T>(all: readonly T[]): (readonly T[])[] {
  return all.reduce<(readonly T[])[]>((sets, one) => [...sets, ...sets.map((set) => [...set, one])], [[]]);
}
