const DAY_MS = 24 * 3_600_000;

/**
 * How busy a time of day is, beside the mean of the day, which is 1: a sine of this depth, from 0 to 1. `phase` is the part of a day by which
 * it is shifted. At 0 the mean is reached, rising.
 */
export const dayFactor = (at: number, depth: number, phase = 0): number =>
  1 + depth * Math.sin(2 * Math.PI * (at / DAY_MS + phase));
