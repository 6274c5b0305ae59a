import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Failure, Replica } from '../domain/replica.ts';
import { after, later, milliseconds, minutes, seconds, since, type Duration, type Instant } from '../domain/units.ts';

const FIRST_DELAY = seconds(10);
export const LONGEST_DELAY = minutes(5);
/** A replica that was ready for this long after a failure has proven its spec: that failure says nothing about the next one. */
const PROVEN_AFTER = minutes(10);

/** Of more that fail within one write of a status, a next operator may count some twice. */
const MAX_COUNTED = 16;

/** A preset's last failure, and when it may be tried again. */
export interface FailureNote {
  readonly failure: Failure;
  /** `Preset.rendered` of the replica that failed: a changed spec is tried at once. */
  readonly rendered: string;
  /** Failures in a row, at least 1: those of one attempt, which one event ends for several replicas, are one. */
  readonly count: number;
  /** When the first of the last attempt failed; `undefined`: another process has noted that, by another clock. */
  readonly firstAt: Instant | undefined;
  /** The replicas that are counted in it, the last ones: one that is met again is not counted again. */
  readonly counted: readonly ReplicaId[];
  readonly until: Instant;
}

/** The note after one more failure, of this replica. */
export function noteFailure(
  previous: FailureNote | undefined,
  failure: Failure,
  { id, rendered }: Pick<Replica, 'id' | 'rendered'>,
): FailureNote {
  const row = previous?.rendered === rendered && !isProvenSince(previous.failure, failure) ? previous : undefined;
  const { count, firstAt } = placeIn(row, failure);
  const counted = row === undefined ? [id] : [...row.counted.slice(1 - MAX_COUNTED), id];
  const until = after(failure.at, backOffDelay(count, failure));
  return { failure, rendered, count, firstAt, counted, until: row === undefined ? until : later(row.until, until) };
}

function placeIn(row: FailureNote | undefined, failure: Failure): Pick<FailureNote, 'count' | 'firstAt'> {
  if (row === undefined) return { count: 1, firstAt: failure.at };
  return isOfAttempt(row, failure) ? row : { count: row.count + 1, firstAt: failure.at };
}

/**
 * Nothing has been tried between the two: it was there, and if it has ever served it did, when the first of the attempt failed. Not the
 * last of it: of many that crash again and again each would have served when another one did, and none would ever count.
 */
function isOfAttempt({ firstAt }: FailureNote, { at, startedAt, readyFor }: Failure): boolean {
  const there = readyFor === undefined ? startedAt : at - readyFor;
  return firstAt !== undefined && there !== undefined && there <= firstAt;
}

/** Not by what was ready before: one that fails to load beside one that has served for long is a failed load all the same. */
const isProvenSince = (previous: Failure, { at, readyFor }: Failure): boolean =>
  readyFor !== undefined && Math.min(readyFor, since(previous.at, at)) >= PROVEN_AFTER;

/** A first crash of a replica that had been ready is tried again at once. */
function backOffDelay(count: number, failure: Failure): Duration {
  const loads = failure.readyFor === undefined ? count : count - 1;
  return loads === 0 ? milliseconds(0) : failedLoadDelay(loads);
}

/** After so many failed loads in a row, at least 1: 10 s doubling to 5 min. */
export const failedLoadDelay = (count: number): Duration =>
  milliseconds(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (count - 1)));

/** The note that speaks for a preset as it is declared now, and only while it has to wait. */
export function backingOff(
  notes: ReadonlyMap<PresetUid, FailureNote>,
  preset: Preset,
  now: Instant,
): FailureNote | undefined {
  const note = notes.get(preset.uid);
  return note?.rendered === preset.rendered && note.until > now ? note : undefined;
}
