import type { Random } from './random.ts';

/** The share of each of `count` things by Zipf's law: the k-th has 1 / k^exponent of the first one's. Together they are 1. */
export function zipfShares(count: number, exponent: number): readonly number[] {
  const weights = Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Draws indexes by their shares, the first by the first share. */
export type Draw = (random: Random) => number;

/** Throws a RangeError for nothing to draw from. */
export function drawByZipf(count: number, exponent: number): Draw {
  if (count < 1) throw new RangeError('there is nothing to draw from');
  let sum = 0;
  const ends = Float64Array.from(zipfShares(count, exponent), (share) => (sum += share));
  return (random) => findFirstAbove(ends, random.next());
}

/** By halving. The last one where none is above, which rounding can make so. */
function findFirstAbove(ends: Float64Array, value: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(ends[middle]) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
