import { UsageError } from './test-parts.ts';

/** The largest seed: what the tests and fast-check take. */
export const LARGEST_SEED = 0x7fff_ffff;

/** A whole number from `lowest` to `highest`, written in digits. Throws UsageError that names `option` otherwise. */
export function parseWholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (/^\d{1,10}$/u.test(text) && value >= lowest && value <= highest) return value;
  throw new UsageError(`${option}: must be a whole number from ${lowest} to ${highest}, not '${text}'`);
}
