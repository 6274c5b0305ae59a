import type { Instant } from '../domain/units.ts';
import { showsIdle, type IdleRow } from './slot-row.ts';

/** What one edge has said, or not, of one closing of a pod's gate. */
export interface Testimony {
  /** The name of the edge's pod. */
  readonly edge: string;
  /** It has not acknowledged this very closing, and may have seen the gate open. */
  readonly owes: boolean;
  /** At the pod, as it said last. */
  readonly inFlight: number;
  /** It is known to show no sign of life. */
  readonly isSilent: boolean;
}

/** What is known of a pod behind a closed gate. */
export interface Verdict {
  /** Requests in flight there; `undefined`: nobody knows. */
  readonly inFlight: number | undefined;
  /** The edges that have not said that they have nothing there: to stop the pod now is to presume that they are dead. */
  readonly unheard: readonly string[];
  /** There are such, and all of them are silent: only the slots of the pod can stand in for them. */
  readonly areSilent: boolean;
}

/**
 * Judges a closing from what each edge has said and what the pod's slots show. An edge is open while it owes its word, or has said
 * that it has requests in flight.
 *
 * | open edges            | two looks at the slots show idle | in flight                                    |
 * |-----------------------|----------------------------------|----------------------------------------------|
 * | none                  |                                  | 0                                            |
 * | one that is not silent|                                  | what they say, unknown if any owes its word  |
 * | all silent            | no                               | the same                                     |
 * | all silent            | yes                              | 0: these edges are presumed dead             |
 */
export function judge(testimonies: readonly Testimony[], row: IdleRow | undefined, now: Instant): Verdict {
  const open = testimonies.filter(({ owes, inFlight }) => owes || inFlight > 0);
  const told = open.some(({ owes }) => owes) ? undefined : sum(open.map(({ inFlight }) => inFlight));
  const areSilent = open.length > 0 && open.every(({ isSilent }) => isSilent);
  const isPresumed = areSilent && showsIdle(row, now);
  return { inFlight: isPresumed ? 0 : told, unheard: open.map(({ edge }) => edge), areSilent };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
