import { InvalidArgumentError, Option } from 'commander';
import { formatDuration } from '../api/duration-text.ts';
import { assertNever } from '../domain/assert-never.ts';
import { milliseconds } from '../domain/units.ts';
import { EDGE_LIMITS, LIMIT_NAMES, limitsFrom, type EdgeLimits, type Limit } from '../edge/limits.ts';
import { byteCount, duration, formatBytes, wholeNumber } from './flag-values.ts';

/** More connections or requests than one process can have. */
const HIGHEST_COUNT = 1_000_000;

/** How a limit's flag is written. */
interface Notation {
  readonly argument: string;
  readonly parse: (text: string) => number;
  readonly format: (value: number) => string;
}

function notationOf({ unit, lowest }: Limit): Notation {
  switch (unit) {
    case 'bytes':
    case 'bytes a second':
      return { argument: 'bytes', parse: byteCount, format: formatBytes };
    case 'time':
      return { argument: 'time', parse: (text) => time(text, lowest), format: (ms) => formatTime(ms) };
    case 'count':
      return { argument: 'n', parse: wholeNumber(HIGHEST_COUNT, lowest), format: String };
    default:
      return assertNever(unit);
  }
}

const formatTime = (ms: number): string => (ms === 0 ? '0' : formatDuration(milliseconds(ms)));

function time(text: string, lowest: number): number {
  const value = duration(text);
  if (value >= lowest) return value;
  throw new InvalidArgumentError('It must be longer than 0.');
}

/** The flag of a limit, for instance `--max-body-bytes` of `maxBodyBytes`. */
export const limitFlag = (name: keyof EdgeLimits): string =>
  `--${name.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;

/** A flag for each limit of the edge. */
export const LIMIT_OPTIONS: readonly Option[] = LIMIT_NAMES.map((name) => {
  const limit = EDGE_LIMITS[name];
  const { argument, parse, format } = notationOf(limit);
  return new Option(`${limitFlag(name)} <${argument}>`, limit.meaning)
    .argParser(parse)
    .default(limit.initial, format(limit.initial))
    .helpGroup('Limits:');
});

/** The limits among a command's flags. */
export const limitsOf = (flags: EdgeLimits): EdgeLimits => limitsFrom((name) => flags[name]);

/** What is wrong with limits that are each right: one sentence for a person, or `undefined`. */
export function limitsProblem({ maxBodyBytes, maxMultipartBytes, maxHeldBytes }: EdgeLimits): string | undefined {
  if (maxHeldBytes >= Math.max(maxBodyBytes, maxMultipartBytes)) return undefined;
  const largest = maxBodyBytes > maxMultipartBytes ? limitFlag('maxBodyBytes') : limitFlag('maxMultipartBytes');
  return `${limitFlag('maxHeldBytes')} is smaller than ${largest}: the largest body that is allowed would never be taken`;
}
