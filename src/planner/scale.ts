import { PEAK_MEMORY } from '../domain/activity.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, type Replica } from '../domain/replica.ts';
import { after } from '../domain/units.ts';
import type { Draft } from './draft.ts';
import { replicasOf, type Look } from './look.ts';
import type { PlanInput } from './plan-input.ts';

/** How many replicas so many requests at once need, within what the preset allows. */
export function replicasFor(inFlight: number, { scaling }: Preset): number {
  const { minReplicas, maxReplicas, targetInFlight } = scaling;
  return Math.min(maxReplicas, Math.max(minReplicas, Math.ceil(inFlight / targetInFlight)));
}

/** One more than `maxReplicas` is for a replacement, and for one that comes while another leaves. */
export function isAtLimit(preset: Preset, look: Look, draft: Draft): boolean {
  const held = replicasOf(look, preset.uid).filter(holdsCapacity).length;
  return held + draft.countStarts(preset) > preset.scaling.maxReplicas;
}

/** The least busy first; what nobody knows comes last. */
export function byInFlight(input: PlanInput): (a: Replica, b: Replica) => number {
  const count = ({ id }: Replica): number => {
    const inFlight = input.inFlight.get(id);
    return inFlight === undefined ? Infinity : inFlight;
  };
  return (a, b) => {
    const [countA, countB] = [count(a), count(b)];
    if (countA !== countB) return countA - countB;
    return a.id < b.id ? -1 : 1;
  };
}

/** Of a preset's staying ready replicas one that is above `maxReplicas`, or that the most requests of the last minute would not have needed. */
export function findSurplus(
  ready: readonly Replica[],
  preset: Preset,
  input: PlanInput,
  draft: Draft,
): Replica | undefined {
  const needed = Math.max(1, preset.scaling.minReplicas);
  if (ready.length > preset.scaling.maxReplicas) return leastInFlight(ready, input);
  const peak = input.peaks.get(preset.uid);
  if (ready.length <= needed || peak === undefined || input.activity.get(preset.uid)?.kind === 'unknown')
    return undefined;
  // Load that comes and goes does not make replicas do so.
  const known = after(peak.since, PEAK_MEMORY);
  if (known > input.now) {
    draft.wake(known);
    return undefined;
  }
  if (ready.length <= Math.max(needed, replicasFor(peak.inFlight, preset))) {
    draft.wake(after(input.now, PEAK_MEMORY));
    return undefined;
  }
  return leastInFlight(ready, input);
}

/** `undefined`: nobody knows what any of them has. */
function leastInFlight(ready: readonly Replica[], input: PlanInput): Replica | undefined {
  const [least] = ready.toSorted(byInFlight(input));
  return least !== undefined && input.inFlight.has(least.id) ? least : undefined;
}
