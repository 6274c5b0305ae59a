import type { PresetUid } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Action, Blocked } from './action.ts';
import { Draft } from './draft.ts';
import { grantExtras } from './extras.ts';
import { grant, type Desk, type Wait } from './grant.ts';
import { allOf, lookAt, type Look } from './look.ts';
import type { Plan, PlanInput } from './plan-input.ts';
import { retire } from './retire.ts';
import { Room } from './room.ts';
import { shrink } from './shrink.ts';
import { takeBack } from './take-back.ts';
import { findWishes, type Wish } from './wishes.ts';

/**
 * Decides what to do next, from one look at the world. Pure: same input, same plan, in whatever order the input comes.
 * docs/planner.md has the rules.
 *
 * 1. What drains and is wanted again is taken back.
 * 2. What has to go, or has nothing to do, is drained.
 * 3. What is wanted gets the room of its pool.
 * 4. What is left is for more replicas of what has one.
 */
export function plan(input: PlanInput): Plan {
  const look = lookAt(input);
  const draft = new Draft(input.now);
  takeBack(look, draft);
  retire(look, draft);
  const wishes = Map.groupBy(findWishes(look, draft), ({ preset }) => preset.pool);
  const loaded = Map.groupBy(presetsWithReplicas(look), ({ pool }) => pool);
  for (const pool of input.pools.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const room = new Room(pool, look, draft);
    planPool(allOf(wishes, pool.name), allOf(loaded, pool.name), { look, draft, room });
  }
  return {
    actions: actionsOf(draft, look),
    blocked: draft.blocked,
    reservations: draft.reservations,
    wakeAt: draft.wakeAt,
  };
}

function presetsWithReplicas({ presets, byPreset }: Look): Preset[] {
  const found = [...byPreset.keys()].map((uid) => presets.get(uid)).filter((preset) => preset !== undefined);
  return found.sort((a, b) => (a.model < b.model ? -1 : 1));
}

function planPool(wishes: readonly Wish[], loaded: readonly Preset[], desk: Desk): void {
  const { look, draft, room } = desk;
  shrink(room);
  // Once for each preset: its second wish would find its own room kept, and keep other room instead.
  for (const wish of new Map(wishes.map((one) => [one.preset, one])).values()) {
    const bin = look.input.reservations.get(wish.preset.uid);
    if (bin !== undefined) room.reserve(wish, bin);
  }
  const waiting = wishes.flatMap((wish) => {
    const wait = grant(wish, desk);
    return wait === undefined ? [] : [{ wish, wait }];
  });
  draft.blocked.push(...inQueue(waiting));
  const forRoom = waiting.filter(({ wait }) => wait.isForRoom).map(({ wish }) => wish.preset);
  grantExtras(loaded, forRoom, desk);
}

/** Each preset once, with its place among those that wait for room. */
function inQueue(waiting: readonly { readonly wish: Wish; readonly wait: Wait }[]): Blocked[] {
  const blocked = new Map<PresetUid, Blocked>();
  let position = 0;
  for (const { wish, wait } of waiting) {
    const { uid } = wish.preset;
    if (blocked.has(uid)) continue;
    if (wait.isForRoom) position += 1;
    blocked.set(uid, { preset: uid, reason: wait.reason, position: wait.isForRoom ? position : undefined });
  }
  return [...blocked.values()];
}

/** What comes back first, then what ends, what leaves, and what comes. */
function actionsOf({ returning, drains, starts }: Draft, { input, replicas }: Look): Action[] {
  const stops = replicas.filter(
    ({ id, state }) => state.kind === 'draining' && !returning.has(id) && input.inFlight.get(id) === 0,
  );
  return [
    ...[...returning].sort().map((replica): Action => ({ kind: 'cancel', replica })),
    ...stops.map(({ id }): Action => ({ kind: 'stop', replica: id })),
    ...[...drains].map(([replica, cause]): Action => ({ kind: 'drain', replica, cause })),
    ...starts.map(({ preset, bin }): Action => ({ kind: 'start', preset, bin })),
  ];
}
