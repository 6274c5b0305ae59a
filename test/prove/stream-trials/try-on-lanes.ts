import type { Lane } from './edge-stage.ts';
import type { Tried } from '../try-each.ts';

/** Tries one after the other on each lane, also after one that failed. `attempt` resolves with what is timed, if anything is. */
export async function tryOnLanes<T>(
  lanes: readonly Lane[],
  trials: readonly T[],
  attempt: (lane: Lane, trial: T) => Promise<number | undefined>,
): Promise<Tried> {
  const failures: string[] = [];
  const timings: number[] = [];
  const rest = trials.entries();
  const run = async (lane: Lane): Promise<void> => {
    for (const [index, trial] of rest) {
      try {
        const took = await attempt(lane, trial);
        if (took !== undefined) timings.push(took);
      } catch (error) {
        failures.push(`trial ${index + 1}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(lanes.map(run));
  return { failures, timings };
}
