import type { BinName, PresetUid } from '../domain/ids.ts';
import { causeOf } from '../domain/replica.ts';
import { isServing } from './look.ts';
import type { PlanInput, Reservations } from './plan-input.ts';

/**
 * What tells after a restart for whom room was reserved, and where: what drains for fairness. What a preset that is served has had
 * of it nobody remembers, so that nothing is reserved for it any more.
 */
export function reservationsAfterRestart({ presets, replicas }: Pick<PlanInput, 'presets' | 'replicas'>): Reservations {
  const declared = new Map(presets.map((preset) => [preset.uid, preset]));
  return new Map(
    replicas.flatMap((replica): [PresetUid, BinName][] => {
      const { bin, pool } = replica;
      const cause = causeOf(replica);
      if (cause?.kind !== 'fairness' || bin === undefined) return [];
      const beneficiary = declared.get(cause.beneficiary);
      if (beneficiary?.pool !== pool) return [];
      const isServed = replicas.some((one) => one.preset === beneficiary.uid && isServing(one, beneficiary));
      return isServed ? [] : [[beneficiary.uid, bin]];
    }),
  );
}
