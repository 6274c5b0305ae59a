import type { PresetUid } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import { after, milliseconds, type Instant } from '../domain/units.ts';
import type { PlanInput } from './plan-input.ts';
import { idleSince, isWantedByNobody } from './retire.ts';

/** Where victims are looked for: the replicas of one pool that stay. */
export interface Field {
  readonly replicas: readonly Replica[];
  readonly presets: ReadonlyMap<PresetUid, Preset>;
  readonly pool: Pool;
  readonly input: PlanInput;
}

/** A replica that could give up its place, and from when on it may. */
export interface Candidate {
  readonly replica: Replica;
  readonly name: string;
  /** What the choice goes by: the smallest goes first. */
  readonly rank: Instant;
  readonly from: Instant;
}

/** Longest idle first; names break ties, so that the same view gives the same victim. */
export const byRank = (a: Candidate, b: Candidate): number => {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.name < b.name ? -1 : 1;
};

/** The idle replicas of a pool that nobody wants, longest idle first. */
export function idleCandidates({ replicas, presets, pool, input }: Field): Candidate[] {
  return replicas
    .flatMap((replica) => {
      const preset = presets.get(replica.preset);
      const rank = idleSince(replica, input);
      if (preset === undefined || rank === undefined || replica.state.kind !== 'ready') return [];
      if (!isWantedByNobody(preset, input)) return [];
      return [{ replica, name: preset.model, rank, from: after(replica.state.since, pool.minResidency) }];
    })
    .sort(byRank);
}

/**
 * The ready replicas, busy ones too, that fairness may make drain: served longest first, each only after it has been
 * ready for as long as its own load took (else two models could spend all their time loading).
 */
export function fairnessCandidates({ replicas, presets, pool, input }: Field): Candidate[] {
  return replicas
    .flatMap((replica) => {
      const preset = presets.get(replica.preset);
      if (preset === undefined || preset.scaling.minReplicas > 0) return [];
      if (replica.state.kind !== 'ready' || input.activity.get(preset.uid) === undefined) return [];
      const residency = milliseconds(Math.max(pool.minResidency, replica.state.loadTime));
      const { since } = replica.state;
      return [{ replica, name: preset.model, rank: since, from: after(since, residency) }];
    })
    .sort(byRank);
}
