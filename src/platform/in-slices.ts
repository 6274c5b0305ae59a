import { since, type Duration, type Instant } from '../domain/units.ts';

/** Runs steps to their end, and whenever that has taken `longest` lets everything else have a turn of the event loop. */
export async function inSlices<T>(steps: Generator<undefined, T>, now: () => Instant, longest: Duration): Promise<T> {
  let begun = now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (since(begun, now()) < longest) continue;
    await new Promise(setImmediate);
    begun = now();
  }
}
