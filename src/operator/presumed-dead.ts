import type { Acceptance } from '../api/cluster/accept.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Happening } from './transitions.ts';

/** A replica is stopped without the word of some edges. */
export interface Presumption {
  /** `undefined`: the replica is not known any more. */
  readonly preset: PresetUid | undefined;
  readonly replica: ReplicaId;
  readonly edges: readonly string[];
}

/** What is told of it. Of a preset that is not declared any more there is no object to tell it of. */
export const presumedDead = (
  { verdicts }: Acceptance<unknown>,
  { preset, replica, edges }: Presumption,
): readonly Happening[] =>
  verdicts.flatMap(({ deployment, presets }) =>
    presets
      .filter(({ uid }) => uid === preset)
      .map(({ name }) => ({
        type: 'Warning',
        reason: 'PresumedDead',
        action: 'Stop',
        note: `${name}: its pod is stopped without the word of ${edges.join(', ')}: silent for 10 s, and its slots are idle`,
        object: deployment.ref,
        replica,
      })),
  );
