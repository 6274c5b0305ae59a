import { footprintOf } from '../domain/is-current.ts';
import type { BinName, PoolName, PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { Pool } from '../domain/pool.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import { holdsCapacity, type Failure, type Replica } from '../domain/replica.ts';
import { amountOf, plus, type Resources } from '../domain/resources.ts';
import { after, type Instant } from '../domain/units.ts';
import { failedLoadDelay } from './failures.ts';

/** That the scheduler has found no place for a replica of a preset, and what that teaches. */
export interface Rejection {
  readonly failure: Failure;
  /** `Preset.rendered` of the replica, and what it needed: with another of both everything may be different. */
  readonly rendered: string;
  readonly footprint: Resources;
  /** By bin: one, or each of the pool where nobody knows which it was. Without `until` and `spent`, which are below. */
  readonly found: readonly Omit<LearnedLimit, 'until' | 'spent'>[];
  readonly at: Instant;
  readonly until: Instant;
  /** Rejections in a row, at least 1. */
  readonly count: number;
  /** Others had left when it was started, and it was rejected all the same. */
  readonly spent: boolean;
  /** Others have left and it was started again, before `until`. */
  readonly isTriedAgain: boolean;
  /** Nobody will leave for it before `until`: whoever asks is told so at once. */
  readonly isHopeless: boolean;
}

export type Rejections = ReadonlyMap<PresetUid, Rejection>;

/** A replica that the scheduler has found no place for. */
export interface Rejected {
  readonly replica: Replica;
  readonly failure: Failure;
}

/** What was declared and what there was when it happened. */
export interface Surroundings {
  readonly catalog: Catalog;
  readonly replicas: readonly Replica[];
  readonly now: Instant;
}

/** What the scheduler refuses is no failed load: it says how much room there is. */
export const isRejection = ({ code }: Failure): boolean => code === 'Unschedulable';

/**
 * The note after one more rejection. Those that come together, each of a replica that was started before the first of them,
 * count once.
 */
export function noteRejection(
  previous: Rejection | undefined,
  { replica, failure }: Rejected,
  { catalog, replicas, now }: Surroundings,
): Rejection {
  const isAnother = previous === undefined || previous.until <= now || previous.isTriedAgain;
  const count = (previous === undefined ? 0 : previous.count) + (isAnother ? 1 : 0);
  const footprint = takenBy(replica, catalog.presets);
  const bins = replica.bin === undefined ? binsOf(replica, catalog.pools) : [replica.bin];
  return {
    failure,
    rendered: replica.rendered,
    footprint,
    found: bins.map((bin) => findLimit(replica, bin, footprint, { catalog, replicas, now })),
    at: now,
    until: after(now, failedLoadDelay(count)),
    count,
    spent: isAnother ? previous?.isTriedAgain === true : previous.spent,
    isTriedAgain: false,
    isHopeless: false,
  };
}

/** A replica of the preset is started: before `until` only because others have left. */
export const noteStart = (rejection: Rejection, now: Instant): Rejection =>
  rejection.until > now ? { ...rejection, isTriedAgain: true } : rejection;

/** Somebody has ordered to load it now: it is tried at once, but that is no reason for others to leave once more. */
export const hurry = (rejection: Rejection, now: Instant): Rejection => ({
  ...rejection,
  until: rejection.until > now ? now : rejection.until,
  isTriedAgain: rejection.isTriedAgain || (rejection.spent && rejection.until > now),
  isHopeless: false,
});

/**
 * Whether those who wait are told so at once, because waiting until the next try is all that is left to do: others have left
 * already, in vain, or nobody who may leave for it is there.
 */
export function judge(
  rejection: Rejection,
  preset: Preset,
  { catalog, replicas }: Omit<Surroundings, 'now'>,
): Rejection {
  const mayLeave = (one: Replica): boolean => {
    const other = catalog.presets.find(({ uid }) => uid === one.preset);
    if (other === undefined) return true;
    return other.uid !== preset.uid && other.scaling.minReplicas === 0 && other.priority <= preset.priority;
  };
  const others = rejection.found.flatMap(({ bin, pool }) => holdersIn(bin, pool, replicas));
  return { ...rejection, isHopeless: rejection.spent || !others.some(mayLeave) };
}

/** Whether it says anything about a preset as it is declared now: not any more once a replica has become ready since. */
export function stillSpeaks(
  { rendered, footprint, found, at }: Rejection,
  preset: Preset,
  replicas: readonly Replica[],
): boolean {
  if (preset.rendered !== rendered || !isSame(preset.footprint, footprint)) return false;
  if (found.some(({ pool }) => pool !== preset.pool)) return false;
  return !replicas.some((one) => one.preset === preset.uid && one.state.kind === 'ready' && one.state.since >= at);
}

/** What the planner goes by. */
export const limitsOf = (rejections: Rejections, now: Instant): LearnedLimit[] =>
  [...rejections.values()]
    .filter(({ until }) => until > now)
    .flatMap(({ found, until, spent }) => found.map((limit) => ({ ...limit, until, spent })));

function findLimit(
  replica: Replica,
  bin: BinName,
  footprint: Resources,
  { catalog, replicas }: Surroundings,
): Rejection['found'][number] {
  const others = holdersIn(bin, replica.pool, replicas);
  return {
    pool: replica.pool,
    bin,
    preset: replica.preset,
    footprint,
    total: others.map((one) => takenBy(one, catalog.presets)).reduce(plus, footprint),
    replicas: others.length + 1,
  };
}

/** The refused one is none of them: it holds nothing any more. */
const holdersIn = (bin: BinName, pool: PoolName, replicas: readonly Replica[]): readonly Replica[] =>
  replicas.filter((one) => one.pool === pool && holdsCapacity(one) && (one.bin === undefined || one.bin === bin));

const takenBy = (replica: Replica, presets: readonly Preset[]): Resources =>
  footprintOf(
    replica,
    presets.find(({ uid }) => uid === replica.preset),
  );

const binsOf = ({ pool: name }: Replica, pools: readonly Pool[]): readonly BinName[] =>
  pools.filter((pool) => pool.name === name).flatMap(({ bins }) => bins.map((bin) => bin.name));

const isSame = (a: Resources, b: Resources): boolean =>
  [...a.keys(), ...b.keys()].every((name) => amountOf(a, name) === amountOf(b, name));
