import type { Duration } from '../domain/units.ts';
import { ApiUnreachable } from './kube-api.ts';
import type { Timers } from './timers.ts';

export interface Silence {
  readonly timers: Timers;
  /** After how long without an item the source counts as dead. */
  readonly longest: Duration;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
}

/** Nothing came for too long: the connection is dead, or there was nothing to say. */
export class TooQuiet extends ApiUnreachable {}

/** The items of a source that is opened with a signal to end it by. Throws `TooQuiet` if it is silent for too long. */
export async function* untilQuiet<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  { timers, longest, signal }: Silence,
): AsyncGenerator<T> {
  const silent = new AbortController();
  const arm = (): (() => void) =>
    timers.wakeIn(longest, () => {
      silent.abort();
    });
  let cancel = arm();
  try {
    for await (const item of open(AbortSignal.any([signal, silent.signal]))) {
      cancel();
      cancel = arm();
      yield item;
    }
  } catch (error) {
    if (silent.signal.aborted) throw new TooQuiet(`nothing was heard for ${longest / 1000} s`, { cause: error });
    throw error;
  } finally {
    cancel();
  }
}
