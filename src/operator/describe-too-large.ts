import { describeAmount } from '../api/cluster/amount-text.ts';
import { couldHold, type Bin } from '../domain/pool.ts';
import { amountOf, type Resources } from '../domain/resources.ts';

/** Why a footprint fits into no part of a pool, however empty; `undefined`: it does. */
export function describeTooLarge(footprint: Resources, bins: readonly Bin[]): string | undefined {
  if (bins.some((bin) => couldHold(bin, footprint))) return undefined;
  const lacks = [...footprint]
    .map(([name, need]) => ({ name, need, most: Math.max(0, ...bins.map(({ size }) => mostOf(size, name))) }))
    .filter(({ need, most }) => need > most)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, need, most }) => `${describeAmount(need)} of ${name}, and its pool has ${describeAmount(most)}`);
  // Each is there, but not all in one part.
  return `it needs ${lacks.length === 0 ? 'more than any part of its pool has' : lacks.join('; ')}`;
}

const mostOf = (size: Resources | undefined, name: string): number => (size === undefined ? 0 : amountOf(size, name));
