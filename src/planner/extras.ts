import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, isLive } from '../domain/replica.ts';
import type { Desk } from './grant.ts';
import { isCurrent } from '../domain/is-current.ts';
import { replicasOf } from './look.ts';
import { isAtLimit, replicasFor } from './scale.ts';

/**
 * Replicas beyond those that somebody waits for: the replacement of one of an older spec, and more of those that have too much
 * to do. They take only what is free and what none of `waiting` could use.
 */
export function grantExtras(presets: readonly Preset[], waiting: readonly Preset[], desk: Desk): void {
  for (const preset of presets) replace(preset, waiting, desk);
  for (const preset of presets) scaleOut(preset, waiting, desk);
}

/** One at a time. Those that find no place for their replacement leave first, and the new ones come when they are wanted. */
function replace(preset: Preset, waiting: readonly Preset[], desk: Desk): void {
  const { look, draft, room } = desk;
  const own = replicasOf(look, preset.uid).filter(holdsCapacity);
  const older = own.filter((one) => draft.isStaying(one) && !isCurrent(one, preset));
  const isUnderWay =
    draft.countStarts(preset) > 0 ||
    own.some((one) => !draft.isStaying(one) || (isCurrent(one, preset) && one.state.kind !== 'ready'));
  if (older.length === 0 || isUnderWay || isBackingOff(preset, desk)) return;
  if (startOne(preset, waiting, desk)) return;
  for (const replica of older) room.drain(replica, { kind: 'changed' });
}

function scaleOut(preset: Preset, waiting: readonly Preset[], desk: Desk): void {
  const { look, draft } = desk;
  const activity = look.input.activity.get(preset.uid);
  if (activity?.kind !== 'busy' || isBackingOff(preset, desk)) return;
  const current = replicasOf(look, preset.uid).filter(
    (one) => isLive(one) && draft.isStaying(one) && isCurrent(one, preset),
  );
  if (!current.some(({ state }) => state.kind === 'ready')) return;
  const missing = replicasFor(activity.inFlight, preset) - current.length - draft.countStarts(preset);
  for (let left = missing; left > 0; left -= 1) if (!startOne(preset, waiting, desk)) return;
}

function isBackingOff({ uid }: Preset, { look, draft }: Desk): boolean {
  const until = look.input.backOffs.get(uid)?.until;
  if (until === undefined || until <= look.input.now) return false;
  draft.wake(until);
  return true;
}

function startOne(preset: Preset, waiting: readonly Preset[], { look, draft, room }: Desk): boolean {
  if (room.pool.paused || look.input.orders.get(preset.uid)?.kind === 'unload') return false;
  if (isAtLimit(preset, look, draft)) return false;
  const spare = room.bins.filter((bin) => room.isSpare(bin, waiting));
  for (const bin of spare) for (const { until } of bin.limitsFor(preset.footprint)) draft.wake(until);
  const bin = room.place(preset.footprint, spare);
  if (bin !== undefined) room.start(preset, bin);
  return bin !== undefined;
}
