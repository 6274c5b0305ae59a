import { after, later, seconds, type Duration, type Instant } from '../domain/units.ts';

/** How often the Lease of an edge is read while its word is awaited. */
export const READ_LEASE_EVERY: Duration = seconds(2);
/** Reads that are further apart than this show nothing of the time between: the reader may have stood still itself. */
const LONGEST_GAP: Duration = seconds(5);
/** An edge is silent when nothing was seen of it for as long as this: it renews its Lease three times as often. */
const SILENT_AFTER: Duration = seconds(10);

/** One answered quorum read of an edge's Lease, on our own clock. */
export interface LeaseSight {
  /** Another one after each sign of life; `undefined`: there is no Lease. */
  readonly version: string | undefined;
  readonly askedAt: Instant;
  readonly answeredAt: Instant;
}

/** A row of such reads, none of which shows a sign of life that the one before it has not shown. */
export interface Pulse {
  readonly version: string | undefined;
  /** When the answer to the first of them came: how old the Lease was by then is not known. */
  readonly from: Instant;
  /** When the last of them was sent: it shows what was true then, or later. */
  readonly until: Instant;
}

/** The row after one more read. A read that has failed ends it: then nobody knows whether the edge could have been heard. */
export function pulseAfter(before: Pulse | undefined, { version, askedAt, answeredAt }: LeaseSight): Pulse {
  const goesOn = before !== undefined && before.version === version && askedAt <= after(before.until, LONGEST_GAP);
  return { version, from: goesOn ? before.from : answeredAt, until: askedAt };
}

/** Whether an edge is known to be silent now: neither its Lease nor its report, last heard at `heardAt`, shows a sign of life. */
export function isSilent(pulse: Pulse | undefined, heardAt: Instant, now: Instant): boolean {
  if (pulse === undefined || now > after(pulse.until, LONGEST_GAP)) return false;
  return after(later(pulse.from, heardAt), SILENT_AFTER) <= pulse.until;
}
