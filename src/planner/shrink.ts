import { byService, type Candidate } from './candidates.ts';
import { chooseVictims } from './choose-victims.ts';
import type { Room } from './room.ts';

/**
 * A pool, or a bin of it, was made smaller than what is loaded: idle ones leave first, then those that have served longest, whose
 * requests end first, then protected ones. Of what nobody knows, nothing.
 */
export function shrink(room: Room): void {
  for (const bin of room.bins) {
    const excess = room.excessIn(bin, []);
    const able = room.candidatesIn(bin).filter((candidate) => room.takesAny(candidate, excess));
    if (excess.length > 0) drain(room, able, (some) => room.excessIn(bin, some).length === 0);
  }
  if (room.isOverfull([])) drain(room, room.staying, (some) => !room.isOverfull(some));
}

function drain(room: Room, from: readonly Candidate[], isEnough: (some: readonly Candidate[]) => boolean): void {
  const kinds = (...wanted: readonly Candidate['kind'][]): Candidate[] =>
    from.filter(({ kind }) => wanted.includes(kind));
  const able = [...kinds('surplus', 'idle'), ...kinds('busy').sort(byService), ...kinds('protected').sort(byService)];
  // If not even all of them are enough, all of them have to go.
  const victims = chooseVictims(able, isEnough) ?? able;
  for (const victim of victims) room.drain(victim.replica, { kind: 'capacity' });
}
