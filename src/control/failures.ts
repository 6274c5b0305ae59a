import type { PresetUid } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Failure } from '../domain/replica.ts';
import { after, milliseconds, minutes, seconds, since, type Duration, type Instant } from '../domain/units.ts';

const FIRST_DELAY = seconds(10);
const LONGEST_DELAY = minutes(5);
/** A replica that was ready for this long after a failure has proven its spec: that failure says nothing about the next one. */
const PROVEN_AFTER = minutes(10);

/** A preset's last failure, and when it may be tried again. */
export interface FailureNote {
  readonly failure: Failure;
  /** `Preset.rendered` of the replica that failed: a changed spec is tried at once. */
  readonly rendered: string;
  /** Failures in a row, at least 1. */
  readonly count: number;
  readonly until: Instant;
}

/** The note after one more failure of a replica that ran `rendered`. */
export function noteFailure(previous: FailureNote | undefined, failure: Failure, rendered: string): FailureNote {
  const inARow = previous?.rendered === rendered && !isProvenSince(previous.failure, failure) ? previous.count : 0;
  const count = inARow + 1;
  return { failure, rendered, count, until: after(failure.at, backOffDelay(count, failure)) };
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
