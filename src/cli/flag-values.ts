import { InvalidArgumentError } from 'commander';
import type { LogLevel } from '../platform/log.ts';

/** A parser of whole numbers from 0 on; what it throws becomes commander's message. */
export const wholeNumber =
  (highest: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value <= highest) return value;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${highest}.`);
  };

/** Any text but the empty one; what it throws becomes commander's message. */
export function notEmpty(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}

export const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'silent'];
export const HIGHEST_PORT = 65_535;
