import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isLive, type DrainCause } from '../domain/replica.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Blocked } from '../planner/action.ts';
import type { Preset } from '../domain/preset.ts';
import { plan } from '../planner/plan.ts';
import type { Plan, PlanInput } from '../planner/plan-input.ts';
import { cancelsOf, drainsOf, isAskedFor, isServing, presetsOf, replicaOf, startsOf } from './planner-oracle.ts';
import { anyWorld, contendedWorld, type Flavour } from './planner-worlds.ts';
import { testSeed } from './seed.ts';

/** Tries a property of the plan of many worlds. */
export function checkPlans(
  property: (input: PlanInput, made: Plan) => void,
  { runs = 1_500, ...flavour }: Partial<Flavour> & { readonly runs?: number; readonly contended?: boolean } = {},
): void {
  const { contended = false, ...rest } = flavour;
  fc.assert(
    fc.property(contended ? contendedWorld() : anyWorld(rest), (input) => {
      property(input, plan(input));
    }),
    { numRuns: runs, seed: testSeed() },
  );
}

/** What a message about a preset starts with. */
export function presetOf(input: PlanInput, uid: PresetUid): Preset {
  const preset = presetsOf(input).get(uid);
  assert.ok(preset !== undefined, `${uid} is not declared`);
  return preset;
}

/** Room is not what these wait for; one that waits for a drain may wait for the end of its own replica alone. */
const ELSEWHERE = ['PoolNotFound', 'PoolPaused', 'NotAccepted', 'AutoloadOff', 'BackOff', 'TooLarge'] as const;
export function isForRoom({ reason, position }: Blocked): boolean {
  if (reason.kind === 'WaitingForDrain') return position !== undefined;
  return !ELSEWHERE.some((one) => one === reason.kind);
}

/** Those that serve a preset, or will, when wishes are looked at: also those that return, and those that may leave later. */
function serversOf(preset: Preset, input: PlanInput, made: Plan): number {
  const drains = new Map(drainsOf(made).map(({ replica, cause }) => [replica, cause.kind]));
  const returning = cancelsOf(made).filter((id) => replicaOf(input, id).preset === preset.uid);
  const staying = input.replicas.filter((one) => {
    const cause = drains.get(one.id);
    if (one.preset !== preset.uid || !isServing(one, preset)) return false;
    return cause === undefined || !MUST.has(cause) || (cause === 'changed' && one.state.kind === 'ready');
  });
  return staying.length + returning.length;
}

/** Drains that are decided before anybody's wish is. */
const MUST: ReadonlySet<DrainCause['kind']> = new Set(['removed', 'changed', 'ordered', 'paused', 'idle', 'surplus']);

/** What the plan makes of one that is asked for: exactly one of these. */
export function outcomesOf(preset: Preset, input: PlanInput, made: Plan): string[] {
  const own = input.replicas.filter((replica) => replica.preset === preset.uid);
  return [
    ...(own.some((replica) => isServing(replica, preset) && isLive(replica)) ? ['served'] : []),
    ...(startsOf(made).some((start) => start.preset.uid === preset.uid) ? ['starts'] : []),
    ...(cancelsOf(made).some((id) => own.some((replica) => replica.id === id)) ? ['returns'] : []),
    ...(made.blocked.some((one) => one.preset === preset.uid) ? ['blocked'] : []),
  ];
}

/** A wish: asked for and not served, or below `minReplicas`. Since when, if it were the only thing that counts. */
export interface Wish {
  readonly preset: Preset;
  readonly since: number;
}

/** All wishes of a pool that are not granted by what is there, in the order in which they are to be granted. */
export function wishesOf(pool: Preset['pool'], input: PlanInput, made: Plan): Wish[] {
  return input.presets
    .filter((preset) => preset.pool === pool && isWish(preset, input, made))
    .map((preset) => ({ preset, since: ageOf(preset, input) }))
    .sort(inTurn);
}

function inTurn(a: Wish, b: Wish): number {
  if (a.preset.priority !== b.preset.priority) return b.preset.priority - a.preset.priority;
  if (a.since !== b.since) return a.since - b.since;
  return a.preset.model < b.preset.model ? -1 : 1;
}

function isWish(preset: Preset, input: PlanInput, made: Plan): boolean {
  const serving = serversOf(preset, input, made);
  return serving < preset.scaling.minReplicas || (serving === 0 && isAskedFor(preset, input));
}

/** The oldest of what speaks for it; only too few replicas do: now. */
export function ageOf({ uid, scaling }: Preset, { demand, orders, now }: PlanInput): number {
  const waiting = scaling.autoload ? demand.get(uid) : undefined;
  const order = orders.get(uid);
  const ordered = order?.kind === 'load' ? order.since : Infinity;
  const age = Math.min(waiting === undefined ? Infinity : waiting.since, ordered);
  return age === Infinity ? now : age;
}

/** Refuses every change to what it is given, however deep. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) freezeMap(value);
  for (const one of Object.values(value)) frozen(one);
  return Object.freeze(value);
}

function freezeMap(map: Map<unknown, unknown>): void {
  for (const [key, value] of map) {
    frozen(key);
    frozen(value);
  }
  const refuse = (): never => assert.fail('the input was changed');
  Object.assign(map, { set: refuse, delete: refuse, clear: refuse });
}
