import { instant, type Duration, type Instant } from '../domain/units.ts';

/** Now on this process's monotonic clock: no step of the wall clock moves it. */
export const monotonicNow = (): Instant => instant(performance.now());

/** The longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls back once after `delay`, or earlier if that is more than 24 days. The returned function cancels. */
export function wakeIn(delay: Duration, callback: () => void): () => void {
  const timer = setTimeout(callback, Math.min(Math.ceil(delay), LONGEST_TIMER));
  return () => {
    clearTimeout(timer);
  };
}

/** Time and chance of this process. */
export const systemTimers = { now: monotonicNow, wakeIn, random: Math.random };
