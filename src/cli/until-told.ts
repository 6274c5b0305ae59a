import { since, type Instant } from '../domain/units.ts';
import { monotonicNow } from '../platform/clock.ts';
import { onEndingSignal } from '../platform/ending-signals.ts';
import type { Log } from '../platform/log.ts';

/** Ctrl-C under `npm start` can come twice: from the terminal, and from npm, which passes it on. */
const ONE_WISH_MS = 1_000;
const EXIT_FAILED = 1;

/** Resolves at the first signal to end; at another one, later than an echo of the first, everything ends at once. */
export async function untilTold(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let told: Instant | undefined;
    onEndingSignal((signal) => {
      if (told !== undefined && since(told, monotonicNow()) > ONE_WISH_MS) process.exit(EXIT_FAILED);
      if (told !== undefined) return;
      told = monotonicNow();
      log.info('ending: requests in flight are finished first; a second signal ends at once', { signal });
      resolve();
    });
  });
}
