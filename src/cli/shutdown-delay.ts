import { Option } from 'commander';
import type { Duration } from '../domain/units.ts';
import { duration } from './flag-values.ts';

/** How long a command that was told to end goes on serving, while it says that it is not ready. */
export interface ShutdownFlags {
  readonly shutdownDelay: Duration;
}

/** `shown`: the default, as the flag takes it. */
export const shutdownDelay = (initial: Duration, shown: string): Option =>
  new Option(
    '--shutdown-delay <time>',
    'told to end, serve on for so long and say not to be ready, until nobody sends new requests here',
  )
    .argParser(duration)
    .default(initial, shown);
