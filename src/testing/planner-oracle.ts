import { replicaId, type BinName, type PoolName, type PresetUid, type ReplicaId } from '../domain/ids.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import { amountOf, NO_RESOURCES, plus, type Resources } from '../domain/resources.ts';
import { instant } from '../domain/units.ts';
import type { Action } from '../planner/action.ts';
import type { Plan, PlanInput } from '../planner/plan-input.ts';

/*
 * The rules of docs/planner.md once more, as plainly as can be and without any of the planner's own code: what its
 * properties are judged by.
 */

export const presetsOf = ({ presets }: PlanInput): ReadonlyMap<PresetUid, Preset> =>
  new Map(presets.map((preset) => [preset.uid, preset]));

export const findPool = ({ pools }: Pick<PlanInput, 'pools'>, name: PoolName): Pool | undefined =>
  pools.find((pool) => pool.name === name);

/** None of a pool that is missing. */
export function binsOf(name: PoolName, pools: readonly Pool[]): readonly Bin[] {
  const pool = pools.find((one) => one.name === name);
  return pool === undefined ? [] : pool.bins;
}

export function replicaOf(input: PlanInput, id: ReplicaId): Replica {
  const replica = input.replicas.find((one) => one.id === id);
  if (replica === undefined) throw new Error(`there is no replica ${id}`);
  return replica;
}

/** It runs what is declared now, where that says. */
export const isCurrent = (replica: Replica, { rendered, pool }: Preset): boolean =>
  replica.rendered === rendered && replica.pool === pool;

/** What is declared counts while it is declared as it was at the replica's start. */
export function footprintOf(replica: Replica, presets: ReadonlyMap<PresetUid, Preset>): Resources {
  const preset = presets.get(replica.preset);
  return preset !== undefined && isCurrent(replica, preset) ? preset.footprint : replica.footprint;
}

/** Whether a replica counts in a bin. */
export const lieIn = (replica: Replica, bin: BinName): boolean => replica.bin === undefined || replica.bin === bin;

/** Those of a pool that hold capacity. */
export const holdersOf = (input: PlanInput, pool: Pool): Replica[] =>
  input.replicas.filter((replica) => replica.pool === pool.name && holdsCapacity(replica));

/** The same when what the plan starts is there. */
export const holdersAfter = (input: PlanInput, pool: Pool, made: Plan): Replica[] => [
  ...holdersOf(input, pool),
  ...startsOf(made).flatMap((start, index) => (start.preset.pool === pool.name ? [startedBy(start, index)] : [])),
];

/** As a backend would show it. */
export const startedBy = ({ preset, bin }: Start, number: number, now = instant(0)): Replica => ({
  id: replicaId(`${preset.model}#new${number}`),
  preset: preset.uid,
  pool: preset.pool,
  bin,
  footprint: preset.footprint,
  rendered: preset.rendered,
  serves: preset.serves,
  state: { kind: 'starting', since: now },
});

/** What is taken of one bin. */
export function usedOf(bin: Bin, holders: readonly Replica[], presets: ReadonlyMap<PresetUid, Preset>): Resources {
  const lying = holders.filter((replica) => lieIn(replica, bin.name));
  return lying.map((replica) => footprintOf(replica, presets)).reduce<Resources>(plus, NO_RESOURCES);
}

/** Whether a bin, however empty, is large enough. */
export const couldHold = (bin: Bin, need: Resources): boolean => isWithin(bin, NO_RESOURCES, need);

function isWithin({ size }: Bin, used: Resources, need: Resources): boolean {
  if (size === undefined) return true;
  return [...need].every(([name, amount]) => amount === 0 || amountOf(used, name) + amount <= amountOf(size, name));
}

/** A bin, and the pool that it is of. */
export interface Place {
  readonly bin: Bin;
  readonly pool: Pool;
}

/** Whether there is room for one more beside these holders. */
export function fits(
  need: Resources,
  { bin, pool }: Place,
  holders: readonly Replica[],
  presets: ReadonlyMap<PresetUid, Preset>,
): boolean {
  if (pool.maxLoaded > 0 && holders.length >= pool.maxLoaded) return false;
  return isWithin(bin, usedOf(bin, holders, presets), need);
}

export type Drain = Extract<Action, { readonly kind: 'drain' }>;
export type Start = Extract<Action, { readonly kind: 'start' }>;

export const drainsOf = ({ actions }: Plan): readonly Drain[] => actions.filter((action) => action.kind === 'drain');
export const startsOf = ({ actions }: Plan): readonly Start[] => actions.filter((action) => action.kind === 'start');
export const cancelsOf = ({ actions }: Plan): readonly ReplicaId[] =>
  actions.flatMap((action) => (action.kind === 'cancel' ? [action.replica] : []));

/** For whose sake somebody drains. */
export const beneficiaryOf = (cause: DrainCause): PresetUid | undefined =>
  'beneficiary' in cause ? cause.beneficiary : undefined;

/** How many replicas so many requests at once are worth. */
export const worthOf = (inFlight: number, { scaling }: Preset): number =>
  Math.min(scaling.maxReplicas, Math.max(scaling.minReplicas, Math.ceil(inFlight / scaling.targetInFlight)));

/** Somebody waits for it and may have it loaded by that, or has ordered it. */
export function isAskedFor(preset: Preset, { demand, orders }: PlanInput): boolean {
  return (demand.has(preset.uid) && preset.scaling.autoload) || orders.get(preset.uid)?.kind === 'load';
}

/** The causes for which a live replica has to go, whatever is wanted; none: it may stay. */
export function compulsionsOf(replica: Replica, input: PlanInput): DrainCause['kind'][] {
  const preset = presetsOf(input).get(replica.preset);
  if (preset === undefined) return ['removed'];
  const causes: DrainCause['kind'][] = [];
  if (!isCurrent(replica, preset)) causes.push('changed');
  if (input.orders.get(preset.uid)?.kind === 'unload') causes.push('ordered');
  if (findPool(input, replica.pool)?.paused === true) causes.push('paused');
  return causes;
}

/** Ready, known to have nothing in flight, and its preset known to be idle. */
export function isIdle({ id, preset, state }: Replica, { activity, inFlight }: PlanInput): boolean {
  return state.kind === 'ready' && inFlight.get(id) === 0 && activity.get(preset)?.kind === 'idle';
}

/** Since when a replica that is idle has been so: the end of the last request, but not before it was ready. */
export function idleSinceOf(replica: Replica, { activity }: PlanInput): number {
  const seen = activity.get(replica.preset);
  if (seen?.kind !== 'idle' || replica.state.kind !== 'ready') return Infinity;
  return Math.max(seen.since, replica.state.since);
}

/** The replicas of a preset that are live after the plan, of those that exist. */
export function stayingOf(uid: PresetUid, input: PlanInput, plan: Plan): Replica[] {
  const leaving = new Set(drainsOf(plan).map(({ replica }) => replica));
  return input.replicas.filter((replica) => replica.preset === uid && isLive(replica) && !leaving.has(replica.id));
}

/** The requests at these, where they are known. */
export const inFlightAt = (replicas: readonly Replica[], { inFlight }: PlanInput): number[] =>
  replicas.flatMap(({ id }) => {
    const here = inFlight.get(id);
    return here === undefined ? [] : [here];
  });

/** Those that serve what is declared now. */
export const isServing = (replica: Replica, preset: Preset): boolean =>
  isLive(replica) && replica.serves === preset.serves;
