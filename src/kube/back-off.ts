import { milliseconds, minutes, type Duration } from '../domain/units.ts';
import { ApiError } from './kube-api.ts';

export interface BackOff {
  /** The most that is waited after the first failure; it doubles with each further one. */
  readonly first: Duration;
  readonly longest: Duration;
}

/** A server that wants to be left alone for longer than this is asked all the same: nobody waits for ever. */
const LONGEST_RETRY_AFTER = minutes(2);

/**
 * How long to wait after `failures` failures in a row: any time up to a limit that doubles, so that many clients of one
 * server do not come back at the same moment. At least what the server asked for (`Retry-After`).
 */
export function delayAfter(error: unknown, failures: number, backOff: BackOff, random: () => number): Duration {
  const limit = Math.min(backOff.longest, backOff.first * 2 ** Math.max(0, failures - 1));
  const asked = error instanceof ApiError && error.retryAfter !== undefined ? error.retryAfter : 0;
  return milliseconds(Math.max(random() * limit, Math.min(asked, LONGEST_RETRY_AFTER)));
}
