import type { Pool } from '../domain/pool.ts';
import type { Instant } from '../domain/units.ts';
import type { Action, Blocked, BlockedReason } from './action.ts';
import type { PlanInput } from './plan-input.ts';
import type { Room } from './room.ts';
import { byAge, type Wanted } from './wanted.ts';

/** What was decided for the presets that want a place in one pool. */
export interface Admission {
  readonly actions: readonly Action[];
  readonly blocked: readonly Blocked[];
  readonly wakeAt: readonly Instant[];
}

/** Gives a pool's room to the presets that want it, in the order of their age, so that nobody takes what an older one waits for. */
export function admit(wanted: readonly Wanted[], pool: Pool, room: Room, input: PlanInput): Admission {
  const blocked = [...wanted].sort(byAge).flatMap((wish) => admitOne(wish, pool, room, input));
  return { actions: room.actions, blocked, wakeAt: room.wakeAt };
}

function admitOne({ preset, since }: Wanted, pool: Pool, room: Room, input: PlanInput): Blocked[] {
  const backOff = input.backOffs.get(preset.uid);
  if (pool.paused)
    return [{ preset: preset.uid, reason: { kind: 'PoolPaused', pool: pool.name }, position: undefined }];
  if (backOff !== undefined && backOff.until > input.now) {
    room.wakeAt.push(backOff.until);
    return [{ preset: preset.uid, reason: { kind: 'BackOff', until: backOff.until }, position: undefined }];
  }
  const outcome = room.claim(preset, since);
  if (outcome === 'started') return [];
  const reason: BlockedReason =
    outcome === 'WaitingForDrain' ? { kind: outcome, leaving: [] } : { kind: outcome, holders: [] };
  return [{ preset: preset.uid, reason, position: undefined }];
}
