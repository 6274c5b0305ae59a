/** For so long `count` evictions may take, in milliseconds. */
export const patienceFor = (count: number): number => 60_000 + count * 1_000;
/** So many evictions are waited for between two disturbances. */
export const BETWEEN = 20;
/** An edge is away for up to so long, in milliseconds, but for the long times. */
export const SHORT_MS = 3_000;
