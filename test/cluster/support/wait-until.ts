import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/**
 * Looks until `look` says yes. Only for what tells nobody when it happens: a program that comes up, a folder of the
 * kernel that empties. Throws after `seconds` with `what`, and what `explain` adds.
 */
export async function waitUntil(
  what: string,
  seconds: number,
  look: () => Promise<boolean>,
  explain: () => string = () => '',
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s${withDetails(explain())}`);
    await delay(LOOK_EVERY_MS);
  }
}

const withDetails = (details: string): string => (details === '' ? '' : `\n${details}`);
