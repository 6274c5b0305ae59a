/** What came of some trials. */
export interface Tried {
  readonly failures: readonly string[];
  /** Of those that went well, in milliseconds. */
  readonly timings: readonly number[];
}

/** Tries one after the other, also after one that failed. `attempt` resolves with what it took. */
export async function tryEach<T>(
  trials: readonly T[],
  attempt: (trial: T, index: number) => Promise<number>,
): Promise<Tried> {
  const failures: string[] = [];
  const timings: number[] = [];
  for (const [index, trial] of trials.entries()) {
    try {
      timings.push(await attempt(trial, index));
    } catch (error) {
      failures.push(`run ${index + 1}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { failures, timings };
}
