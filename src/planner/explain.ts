import type { PresetUid } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Instant } from '../domain/units.ts';
import type { BlockedReason } from './action.ts';
import { byIdlenessOrService, isIdle, type Candidate } from './candidates.ts';
import { chooseVictims } from './choose-victims.ts';
import type { Room } from './room.ts';

/** In an order that does not change with the time, so that the same reason reads the same. */
const presetsOf = (candidates: readonly Candidate[]): PresetUid[] =>
  [...new Set(candidates.map(({ preset }) => preset.uid))].sort();

/** Why nobody leaves for a wish now. */
export function explain(preset: Preset, room: Room): BlockedReason {
  const beneficiary = room.keptFor(preset);
  if (beneficiary !== undefined) return { kind: 'Reserved', beneficiary };
  const until = refusedUntil(preset, room);
  if (until !== undefined) return { kind: 'Unschedulable', until };
  const young = [...enoughInEach(preset, room, isIdle)].map(latest);
  if (young.length > 0) return { kind: 'MinResidency', until: young.reduce((a, b) => (a < b ? a : b)) };
  const unknown = enough(preset, room, (one) => isIdle(one) || one.kind === 'unknown');
  if (unknown !== undefined) {
    return { kind: 'ActivityUnknown', presets: presetsOf(unknown.filter(({ kind }) => kind === 'unknown')) };
  }
  return inUse(preset, room);
}

/** Until when the scheduler alone is in the way: by what is known of the sizes there would be room. */
function refusedUntil(preset: Preset, room: Room): Instant | undefined {
  const limits = room.bins
    .filter((bin) => bin.hasByItsSize(preset.footprint))
    .flatMap((bin) => bin.limitsFor(preset.footprint));
  if (limits.length === 0 || !room.hasSlot()) return undefined;
  return limits.map(({ until }) => until).reduce((a, b) => (a < b ? a : b));
}

function inUse(preset: Preset, room: Room): BlockedReason {
  const isHigher = (one: Candidate): boolean => one.priority > preset.priority;
  const mayGo = (one: Candidate): boolean => one.kind !== 'protected';
  const lower = enough(preset, room, (one) => mayGo(one) && !isHigher(one));
  const all = lower === undefined ? enough(preset, room, mayGo) : undefined;
  if (all !== undefined) return { kind: 'HigherPriority', holders: presetsOf(all.filter(isHigher)) };
  return { kind: 'WaitingForCapacity', holders: room.holders };
}

type IsAble = (candidate: Candidate) => boolean;

/** Some of those of one bin that would be enough if they could leave. */
function enough(preset: Preset, room: Room, isAble: IsAble): readonly Candidate[] | undefined {
  const [found] = enoughInEach(preset, room, isAble);
  return found;
}

/** The same of each bin in which some would be. */
function* enoughInEach(preset: Preset, room: Room, isAble: IsAble): Generator<readonly Candidate[], void> {
  for (const bin of room.bins) {
    const able = room.candidatesIn(bin).filter(isAble).sort(byIdlenessOrService);
    const found = chooseVictims(able, room.enoughIn(bin, preset, 'later'));
    if (found !== undefined) yield found;
  }
}

const latest = (candidates: readonly Candidate[]): Instant =>
  candidates.map(({ mayLeaveFrom }) => mayLeaveFrom).reduce((a, b) => (a > b ? a : b));
