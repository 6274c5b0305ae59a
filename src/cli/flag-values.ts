import { InvalidArgumentError } from 'commander';
import { parseSecondsOrDuration } from '../api/duration-text.ts';
import { parseQuantity } from '../api/quantity.ts';
import type { Duration } from '../domain/units.ts';
import type { LogLevel } from '../platform/log.ts';

/** A parser of whole numbers; what it throws becomes commander's message. */
export const wholeNumber =
  (highest: number, lowest = 0) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value >= lowest && value <= highest) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`);
  };

/** Any text but the empty one; what it throws becomes commander's message. */
export function notEmpty(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}

/** A time in seconds or in Go's notation; what it throws becomes commander's message. */
export function duration(text: string): Duration {
  const parsed = parseSecondsOrDuration(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('It must be a time up to 480h, such as 90s, 15m, 1h30m, or a number of seconds.');
}

const TIB = 2 ** 40;

/** Whole bytes, in Kubernetes' notation for quantities; what it throws becomes commander's message. */
export function byteCount(text: string): number {
  const thousandths = parseQuantity(text);
  const count = thousandths === undefined ? NaN : thousandths / 1000;
  if (Number.isInteger(count) && count >= 1 && count <= TIB) return count;
  throw new InvalidArgumentError('It must be a number of bytes from 1 to 1Ti, such as 33554432, 32Mi or 1G.');
}

/** The shortest way to write a number of bytes that `byteCount` reads back. */
export function formatBytes(count: number): string {
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  const power = suffixes.findLastIndex((_, index) => count % 1024 ** index === 0);
  return `${count / 1024 ** power}${suffixes[power]}`;
}

/** A DNS label, as Kubernetes wants the names of namespaces; what it throws becomes commander's message. */
export function namespaceName(text: string): string {
  if (/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/u.test(text)) return text;
  throw new InvalidArgumentError('It must be the name of a namespace: a-z, 0-9 and, between them, -; at most 63.');
}

export const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'silent'];
export const HIGHEST_PORT = 65_535;
