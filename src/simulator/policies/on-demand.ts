import type { BinName } from '../../domain/ids.ts';
import { isLive, type Replica } from '../../domain/replica.ts';
import type { Resources } from '../../domain/resources.ts';
import { BinSpace } from './bin-space.ts';
import { evict, idleReplicas } from './evict.ts';
import type { Wish, World } from './policy.ts';

/** What an on-demand policy is about: who is granted first, and who leaves first. */
export interface Preferences {
  readonly wishes: (a: Wish, b: Wish) => number;
  readonly victims: (a: Replica, b: Replica) => number;
}

/**
 * Loads what is waited for and nothing else, one replica for each model: into what is free; else into what is about to be,
 * which is then kept for it; else idle replicas that nobody waits for leave for it, all from one bin and none that
 * turns out not to be needed; else it waits, and takes nothing from those behind it.
 */
export function grantOnDemand(world: World, preferences: Preferences): void {
  const observed = world.observe();
  const live = new Set(observed.filter(isLive).map(({ preset }) => preset));
  const wishes = world.wishes().filter(({ preset }) => !live.has(preset.uid));
  if (wishes.length === 0) return;
  const room: Room = {
    now: new BinSpace(world.pool, observed),
    soon: new BinSpace(
      world.pool,
      observed.filter(({ state }) => state.kind !== 'stopping'),
    ),
    idle: [...idleReplicas(world)].sort(preferences.victims),
  };
  for (const wish of wishes.toSorted(preferences.wishes)) grant(world, wish, room);
}

interface Room {
  /** Beside all that hold capacity. */
  readonly now: BinSpace;
  /** Beside those that stay: what leaves is not counted, nor what has been promised of it. */
  readonly soon: BinSpace;
  /** Who may leave, the first victim first. */
  idle: readonly Replica[];
}

function grant(world: World, { preset }: Wish, room: Room): void {
  const { uid, footprint } = preset;
  // What is promised to one before it is not free.
  const free = room.now.fit(footprint, room.soon);
  if (free !== undefined) {
    room.now.take(free, footprint);
    room.soon.take(free, footprint);
    world.apply({ kind: 'start', preset, bin: free });
    return;
  }
  const promised = room.soon.fit(footprint);
  if (promised !== undefined) {
    room.soon.take(promised, footprint);
    return;
  }
  const victims = chooseVictims(room, footprint);
  for (const victim of victims.leaving) evict(world, victim, { kind: 'evicted', beneficiary: uid });
  if (victims.bin !== undefined) room.soon.take(victims.bin, footprint);
  room.idle = room.idle.filter((one) => !victims.leaving.includes(one));
}

/** Gives to `soon` what the victims hold. */
function chooseVictims(
  { soon, idle }: Room,
  need: Resources,
): { readonly bin: BinName | undefined; readonly leaving: readonly Replica[] } {
  const given = new Map<BinName, Replica[]>();
  for (const one of idle) {
    const { bin } = one;
    if (bin === undefined) continue;
    const before = given.get(bin);
    const leaving = before === undefined ? [one] : [...before, one];
    given.set(bin, leaving);
    soon.give(bin, one.footprint);
    if (!soon.fitsIn(bin, need)) continue;
    giveBack(soon, given, bin);
    return { bin, leaving: spare(soon, bin, leaving, need) };
  }
  giveBack(soon, given, undefined);
  return { bin: undefined, leaving: [] };
}

/** Those in other bins need not leave. */
function giveBack(soon: BinSpace, given: ReadonlyMap<BinName, readonly Replica[]>, but: BinName | undefined): void {
  for (const [bin, replicas] of given) {
    if (bin !== but) for (const { footprint } of replicas) soon.take(bin, footprint);
  }
}

/** Lets those stay, the last one chosen first, without whom it fits as well. */
function spare(soon: BinSpace, bin: BinName, leaving: readonly Replica[], need: Resources): readonly Replica[] {
  return leaving.toReversed().filter(({ footprint }) => {
    soon.take(bin, footprint);
    if (soon.fitsIn(bin, need)) return false;
    soon.give(bin, footprint);
    return true;
  });
}
