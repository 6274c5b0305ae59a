import { NO_RESOURCES } from '../domain/resources.ts';
import { after } from '../domain/units.ts';
import type { BlockedReason } from './action.ts';
import type { BinRoom } from './bin-room.ts';
import { byIdleness, byService, isIdle, type Candidate } from './candidates.ts';
import { chooseVictims } from './choose-victims.ts';
import type { Draft } from './draft.ts';
import { explain } from './explain.ts';
import type { Look } from './look.ts';
import type { Room } from './room.ts';
import { isAtLimit } from './scale.ts';
import type { Wish } from './wishes.ts';

/** Everything that granting a pool's wishes works on. */
export interface Desk {
  readonly look: Look;
  readonly draft: Draft;
  readonly room: Room;
}

/** Why a wish is not granted. */
export interface Wait {
  readonly reason: BlockedReason;
  /** It queues for room. */
  readonly isForRoom: boolean;
}

/**
 * Grants a wish, or says why not. What has to leave for it is drained, and the room that it will find is kept for it; see
 * docs/planner.md for the order in which it is tried.
 */
export function grant(wish: Wish, desk: Desk): Wait | undefined {
  const { look, room, draft } = desk;
  const { preset } = wish;
  // Its second replica has no claim to what was reserved for the first one.
  const wasReserved = look.input.reservations.has(preset.uid) && draft.countStarts(preset) === 0;
  const isReserved = wasReserved && room.binKeptFor(preset.uid) !== undefined;
  room.takeTurn(preset);
  if (!room.bins.some((bin) => bin.couldHold(preset.footprint)))
    return { reason: tooLarge(wish, room), isForRoom: false };
  if (isAtLimit(preset, look, draft)) {
    return { reason: { kind: 'WaitingForDrain', leaving: [preset.uid] }, isForRoom: false };
  }
  for (const { until } of room.limitsFor(preset)) draft.wake(until);
  const bin = room.place(preset.footprint) ?? placeInTurn(wish, desk);
  if (bin !== undefined) {
    room.start(preset, bin);
    return undefined;
  }
  // From then on it takes what it did not take before, and keeps what it left to others.
  if (room.pool.fairAfter > 0) draft.wake(after(wish.since, room.pool.fairAfter));
  const reason = makeRoom(wish, isReserved, desk);
  const kept = reason.kind === 'WaitingForDrain' ? room.binKeptFor(preset.uid) : undefined;
  if (wasReserved && kept !== undefined) draft.reservations.set(preset.uid, kept);
  return { reason, isForRoom: true };
}

/**
 * One that has waited for long waits for what others leave, but not behind younger ones for whom that was reserved: where there will
 * be enough for all, it comes first. Else those could overtake it again and again.
 */
function placeInTurn(wish: Wish, { room }: Desk): BinRoom | undefined {
  if (!wish.isOverAge) return undefined;
  room.letPass(wish);
  return room.place(wish.preset.footprint);
}

function makeRoom(wish: Wish, isReserved: boolean, desk: Desk): BlockedReason {
  return (
    keepRoom(wish, 'soon', desk) ??
    awaitScheduler(wish, desk) ??
    // Its victims are fixed: no more are taken while they leave.
    (isReserved ? keepRoom(wish, 'later', desk) : undefined) ??
    evict(wish, 'soon', desk) ??
    keepRoom(wish, 'later', desk) ??
    evict(wish, 'later', desk) ??
    claimFairly(wish, desk) ??
    wait(wish, desk)
  );
}

/** Keeps the room that a wish would find at a level. One that has waited for long does not leave what is free to others while it waits for what leaves late. */
function keepRoom(wish: Wish, level: 'soon' | 'later', { room }: Desk): BlockedReason | undefined {
  const bin = room.roomFor(wish.preset, level);
  if (bin === undefined) return undefined;
  if (level === 'soon') room.keep(wish.preset, bin, 'own', 'last');
  else room.keep(wish.preset, bin, 'all', wish.isOverAge ? 'first' : 'last');
  return { kind: 'WaitingForDrain', leaving: room.leaving };
}

/** The scheduler has refused it even after others had left for it: that is tried again only when the back-off ends. */
function awaitScheduler({ preset }: Wish, { room }: Desk): BlockedReason | undefined {
  const own = room.limitsFor(preset).find((limit) => limit.preset === preset.uid && limit.spent);
  return own === undefined ? undefined : { kind: 'Unschedulable', until: own.until };
}

function evict(wish: Wish, level: 'soon' | 'later', desk: Desk): BlockedReason | undefined {
  const { room, look, draft } = desk;
  const { preset } = wish;
  const mayLeave = ({ mayLeaveFrom }: Candidate): boolean => {
    draft.wake(mayLeaveFrom);
    return mayLeaveFrom <= look.input.now;
  };
  const victims = bestOf(
    room.bins.flatMap((bin) => {
      const idle = room.idleIn(bin).filter(mayLeave);
      const found = chooseVictims(idle, room.enoughIn(bin, preset, level));
      return found === undefined ? [] : [found];
    }),
    byIdleness,
  );
  if (victims === undefined) return undefined;
  for (const victim of victims) room.drain(victim.replica, { kind: 'evicted', beneficiary: preset.uid });
  return keepRoom(wish, level, desk);
}

/** The whole set is fixed at once, and the room that it leaves is kept until it is used. */
function claimFairly(wish: Wish, desk: Desk): BlockedReason | undefined {
  const { preset, isOverAge } = wish;
  const { room, draft } = desk;
  if (!isOverAge) return undefined;
  const order = fairnessOrder(wish, desk);
  const victims = bestOf(
    room.bins.flatMap((bin) => {
      const able = room.candidatesIn(bin).filter(order.mayLeave).sort(order.compare);
      const found = chooseVictims(able, room.enoughIn(bin, preset, 'later'));
      return found === undefined ? [] : [found];
    }),
    order.compare,
  );
  if (victims === undefined) return undefined;
  for (const victim of victims) room.drain(victim.replica, { kind: 'fairness', beneficiary: preset.uid });
  const reason = keepRoom(wish, 'later', desk);
  const kept = room.binKeptFor(preset.uid);
  if (kept !== undefined) draft.reservations.set(preset.uid, kept);
  return reason;
}

/** Idle ones first, then those that have served longest, each only after its own load has paid for itself. */
function fairnessOrder(
  { preset: { priority } }: Wish,
  { look: { input }, draft }: Desk,
): {
  readonly mayLeave: (candidate: Candidate) => boolean;
  readonly compare: (a: Candidate, b: Candidate) => number;
} {
  const mayLeaveIdle = (one: Candidate): boolean => isIdle(one) && one.mayLeaveFrom <= input.now;
  return {
    mayLeave: (candidate) => {
      const { kind, mustLeaveFrom } = candidate;
      if (mayLeaveIdle(candidate)) return true;
      if (kind === 'unknown' || kind === 'protected' || candidate.priority > priority) return false;
      draft.wake(mustLeaveFrom);
      return mustLeaveFrom <= input.now;
    },
    compare: (a, b) => {
      if (mayLeaveIdle(a) && mayLeaveIdle(b)) return byIdleness(a, b);
      if (mayLeaveIdle(a) || mayLeaveIdle(b)) return mayLeaveIdle(a) ? -1 : 1;
      return byService(a, b);
    },
  };
}

/** Nobody can leave for it now. One that has waited for long keeps what is free where it could fit one day. */
function wait(wish: Wish, { room }: Desk): BlockedReason {
  const reason = explain(wish.preset, room);
  const nearest = wish.isOverAge ? room.nearest(wish.preset) : undefined;
  if (nearest !== undefined) room.keep(wish.preset, nearest, 'all', 'first');
  return reason;
}

/** Of some sets, each in its order, the one whose last member comes first. */
function bestOf(
  sets: readonly (readonly Candidate[])[],
  compare: (a: Candidate, b: Candidate) => number,
): readonly Candidate[] | undefined {
  const last = (set: readonly Candidate[]): Candidate[] => set.slice(-1);
  return sets.reduce<readonly Candidate[] | undefined>((best, set) => {
    if (best === undefined) return set;
    const [a, b] = [...last(best), ...last(set)];
    // One whose bin nobody knows can be the last of several: the smaller set may be a part of the larger.
    if (a === b) return set.length < best.length ? set : best;
    return a !== undefined && b !== undefined && compare(b, a) < 0 ? set : best;
  }, undefined);
}

/** The size that is named is that of the bin that comes nearest. */
function tooLarge({ preset: { footprint } }: Wish, room: Room): BlockedReason {
  const [largest] = room.bins.toSorted((a, b) => a.tooSmallBy(footprint) - b.tooSmallBy(footprint));
  return { kind: 'TooLarge', footprint, largest: largest?.bin.size ?? NO_RESOURCES };
}
