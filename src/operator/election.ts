import { after, milliseconds, seconds, since, type Duration, type Instant } from '../domain/units.ts';

/** How long a candidate lets a lease stand that names a holder, from when it first saw it so. */
export const LEASE_STANDS = seconds(6);
/** For how long the holder may begin writes, counted from sending the renewal that was answered last. */
export const RENEWAL_HOLDS = seconds(4);
/** From one renewal, or one look, to the next. */
export const RETRY_AFTER = seconds(1);
/** A write that is not answered within this is reset: RENEWAL_HOLDS and this are no more than LEASE_STANDS. */
export const WRITE_TIMEOUT = seconds(2);

/** What a lease says. */
export interface LeaseRecord {
  /** Another one after each change of what the lease says. Not of what else is written to the object: that is no sign of its holder. */
  readonly version: string;
  /** Empty: nobody. */
  readonly holder: string;
  /** For how long it must be left alone by everybody but its holder; 0: it was given back. */
  readonly standsFor: Duration;
}

/** What was read last, and since when it is known to be so. `record` is `undefined` where there is no lease. */
interface Seen {
  readonly record: LeaseRecord | undefined;
  readonly at: Instant;
}

/**
 * One process's part in choosing a leader. It has to look first where `seen` is `undefined`, and where it `isUnsure` whether what it has
 * seen is still so. Times are of this process's own monotonic clock: what others have written as times is never compared with it,
 * only that something has changed.
 */
export type Election =
  | { readonly kind: 'following'; readonly seen: Seen | undefined; readonly isUnsure: boolean }
  | { readonly kind: 'leading'; readonly seen: Seen | undefined; readonly until: Instant }
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * What to do next. `look`: read the lease. `offer`: create one that names nobody and stands, so that whoever still believes
 * to lead, since the lease was deleted under it, has the time to notice. `take`: write oneself into the lease as it was seen.
 */
export type ElectionStep = 'look' | 'offer' | 'take' | 'end';

/** Nothing is known yet. */
export const NOT_LOOKED: Election = { kind: 'following', seen: undefined, isUnsure: true };

export function nextStep(election: Election, me: string, now: Instant): ElectionStep {
  switch (election.kind) {
    case 'lost':
      return 'end';
    case 'leading':
      return election.seen === undefined ? 'look' : 'take';
    case 'following': {
      if (election.seen === undefined || election.isUnsure) return 'look';
      const { record, at } = election.seen;
      if (record === undefined) return 'offer';
      // It names us where the answer to our own write was lost.
      return record.holder === me || since(at, now) >= record.standsFor ? 'take' : 'look';
    }
  }
}

/** How long to wait before the next step, after one that was begun at `begun`. What was free then and was not taken is tried again like all else. */
export function pauseAfter(election: Election, begun: Instant, now: Instant): Duration {
  const next = after(begun, RETRY_AFTER);
  const seen = election.kind === 'following' ? election.seen : undefined;
  const free = seen?.record === undefined ? next : after(seen.at, seen.record.standsFor);
  return since(now, free > begun && free < next ? free : next);
}

/** The lease was read. A state that was seen before is as old as it was then. */
export function looked(election: Election, me: string, record: LeaseRecord | undefined, now: Instant): Election {
  switch (election.kind) {
    case 'lost':
      return election;
    case 'leading':
      if (record !== undefined && record.holder !== me && record.holder !== '')
        return { kind: 'lost', reason: `${record.holder} has taken the lease` };
      return { ...election, seen: { record, at: now } };
    case 'following': {
      const seen = isSame(election.seen, record) ? election.seen : { record, at: now };
      return { kind: 'following', seen, isUnsure: false };
    }
  }
}

/** A write of ours as the server has taken it, which was sent at `sentAt`. */
interface Written {
  readonly record: LeaseRecord;
  readonly sentAt: Instant;
}

/** An offer or a claim was answered. An answer that comes too late proves nothing any more. */
export function written(election: Election, me: string, { record, sentAt }: Written, now: Instant): Election {
  const until = after(sentAt, RENEWAL_HOLDS);
  const seen = { record, at: now };
  if (election.kind === 'lost') return election;
  if (record.holder !== me || now >= until) return { ...election, seen };
  return { kind: 'leading', seen, until };
}

/** A write of ours was refused since the lease is not as it was seen, or not there: another look is needed. */
export function surprised(election: Election): Election {
  switch (election.kind) {
    case 'lost':
      return election;
    case 'leading':
      return { ...election, seen: undefined };
    case 'following':
      return { ...election, isUnsure: true };
  }
}

/** Whoever could not renew in time leads no more, and never again. */
export const atTime = (election: Election, now: Instant): Election =>
  election.kind === 'leading' && now >= election.until
    ? { kind: 'lost', reason: `no renewal was answered within ${RENEWAL_HOLDS / 1000} s` }
    : election;

/** Whether a write may be sent at this moment. */
export const mayWrite = (election: Election, now: Instant): boolean =>
  election.kind === 'leading' && now < election.until;

/** Whom the lease names, as far as is known; `undefined`: nobody, or it was not read yet. */
export function holderOf(election: Election): string | undefined {
  const holder = election.kind === 'lost' ? undefined : election.seen?.record?.holder;
  return holder === '' ? undefined : holder;
}

/**
 * How long a lease stands that names `holder` (`undefined`: it says nothing of one) and says `said` seconds. Given back is
 * only what says so: an empty holder and no time. What says less may be new, and another one be leading by an older lease.
 */
export function standingTime(holder: string | undefined, said: number | undefined): Duration {
  if (holder === '' && said === undefined) return milliseconds(0);
  return said !== undefined && seconds(said) > LEASE_STANDS ? seconds(said) : LEASE_STANDS;
}

const isSame = (seen: Seen | undefined, record: LeaseRecord | undefined): boolean =>
  seen !== undefined && seen.record?.version === record?.version;
