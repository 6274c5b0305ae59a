import type { PresetUid } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import { earliest, type Instant } from '../domain/units.ts';
import type { Action, Blocked } from './action.ts';
import { admit } from './admit.ts';
import type { Plan, PlanInput } from './plan-input.ts';
import { reclaim } from './reclaim.ts';
import { forcedRetirement, idleTimeoutEnd, isWantedByNobody } from './retire.ts';
import { Room } from './room.ts';
import { wantedPresets, type Wanted } from './wanted.ts';

/**
 * Decides what to do next, from one look at the world. Pure: same input, same plan, in whatever order the input comes.
 *
 * 1. What drains for idleness and is wanted again is taken back.
 * 2. What drains and has nothing in flight is stopped.
 * 3. What has to go, or has been idle for its timeout, is drained.
 * 4. What is wanted gets the room of its pool, oldest wish first (see `admit`).
 */
export function plan(given: PlanInput): Plan {
  const { cancels, input } = reclaim(given);
  const presets = new Map(input.presets.map((preset) => [preset.uid, preset]));
  const pools = new Map(input.pools.map((pool) => [pool.name, pool]));
  const retirements = retire(input, presets, pools);
  const retiring = new Set(retirements.drains.map((drain) => drain.replica));
  const wanted = wantedPresets(input);
  const outcomes = [...pools.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((pool) => {
      const replicas = input.replicas.filter((replica) => replica.pool === pool.name);
      const wishes = wanted.filter(({ preset }) => preset.pool === pool.name);
      return admit(wishes, pool, new Room(pool, { replicas, presets, retiring, input }), input);
    });
  return {
    actions: [...cancels, ...stops(input), ...retirements.drains, ...outcomes.flatMap((outcome) => outcome.actions)],
    blocked: [...withoutPool(wanted, pools), ...outcomes.flatMap((outcome) => outcome.blocked)],
    reservations: new Map(),
    wakeAt: earliest([...retirements.wakeAt, ...outcomes.flatMap((outcome) => outcome.wakeAt)]),
  };
}

const byId = (a: Replica, b: Replica): number => (a.id < b.id ? -1 : 1);

/** Unknown is not zero: a replica whose requests nobody has counted is not stopped. */
function stops(input: PlanInput): Action[] {
  return input.replicas
    .filter((replica) => replica.state.kind === 'draining' && input.inFlight.get(replica.id) === 0)
    .sort(byId)
    .map((replica) => ({ kind: 'stop', replica: replica.id }));
}

type Drain = Action & { readonly kind: 'drain' };

function retire(
  input: PlanInput,
  presets: ReadonlyMap<PresetUid, Preset>,
  pools: ReadonlyMap<Pool['name'], Pool>,
): { drains: readonly Drain[]; wakeAt: readonly Instant[] } {
  const drains: Drain[] = [];
  const wakeAt: Instant[] = [];
  for (const replica of input.replicas.filter(isLive).sort(byId)) {
    const preset = presets.get(replica.preset);
    const order = input.orders.get(replica.preset);
    const cause = forcedRetirement(replica, { preset, pool: pools.get(replica.pool), order });
    if (cause !== undefined) drains.push(drain(replica, cause));
    else if (preset !== undefined) retireIdle(replica, preset);
  }
  return { drains, wakeAt };

  function retireIdle(replica: Replica, preset: Preset): void {
    const end = idleTimeoutEnd(replica, preset, input);
    if (end === undefined) return;
    if (end > input.now) wakeAt.push(end);
    else if (isWantedByNobody(preset, input)) drains.push(drain(replica, { kind: 'idle' }));
  }
}

const drain = (replica: Replica, cause: DrainCause): Drain => ({ kind: 'drain', replica: replica.id, cause });

/** A missing pool is never an unlimited one. */
function withoutPool(wanted: readonly Wanted[], pools: ReadonlyMap<Pool['name'], Pool>): Blocked[] {
  return wanted
    .filter(({ preset }) => !pools.has(preset.pool))
    .map(({ preset }) => ({
      preset: preset.uid,
      reason: { kind: 'PoolNotFound', pool: preset.pool },
      position: undefined,
    }));
}
