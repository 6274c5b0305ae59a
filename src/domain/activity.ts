import { minutes, type Instant } from './units.ts';

/**
 * What the edges have seen of a preset. Unknown is not zero: it never allows a stop.
 * `idle.since` is the end of the last request, or when counting began.
 */
export type Activity =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'busy'; readonly inFlight: number }
  | { readonly kind: 'idle'; readonly since: Instant };

/** Somebody waits for a preset. `since` outlives single waiters, so that giving up and asking again loses no turn. */
export interface Demand {
  readonly waiting: number;
  readonly since: Instant;
}

/** How far back the most is remembered, and for how long it must have been less before a replica is more than is needed. */
export const PEAK_MEMORY = minutes(1);

/** The most requests of a preset that were in flight at once since `since`. */
export interface Peak {
  readonly inFlight: number;
  readonly since: Instant;
}
