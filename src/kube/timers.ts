import type { WakeIn } from '../domain/alarm.ts';
import type { Duration, Instant } from '../domain/units.ts';

/** Time and chance, from outside. */
export interface Timers {
  readonly now: () => Instant;
  readonly wakeIn: WakeIn;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
}

/** Resolves after `delay`, or as soon as the signal is aborted. */
export async function pause({ wakeIn }: Timers, delay: Duration, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = wakeIn(delay, end);
    signal.addEventListener('abort', end);
  });
}
