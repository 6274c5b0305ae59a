import type { Brand } from './brand.ts';

/** A point in time in milliseconds on one process's monotonic clock. Two machines' values are never compared. */
export type Instant = Brand<number, 'Instant'>;
/** A length of time in milliseconds, never negative. */
export type Duration = Brand<number, 'Duration'>;

export const instant = (ms: number): Instant => ms as Instant;
export const milliseconds = (ms: number): Duration => ms as Duration;
export const seconds = (s: number): Duration => (s * 1000) as Duration;
export const minutes = (m: number): Duration => (m * 60_000) as Duration;

/** The instant `duration` after `start`. */
export const after = (start: Instant, duration: Duration): Instant => (start + duration) as Instant;

/** How long ago `start` was at `now`; a start that lies ahead counts as now. */
export const since = (start: Instant, now: Instant): Duration => Math.max(0, now - start) as Duration;

/** The later of two instants. */
export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** The earliest of some instants, `undefined` of none. */
export const earliest = (instants: readonly Instant[]): Instant | undefined =>
  instants.length === 0 ? undefined : (Math.min(...instants) as Instant);
