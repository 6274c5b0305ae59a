import type { Scaling } from '../domain/preset.ts';

/** What holds where nobody says anything. The numbers of replicas follow from each other, and from the llama-server. */
export type ScalingDefaults = Omit<Scaling, 'minReplicas' | 'maxReplicas' | 'targetInFlight'>;

/** A layer says `minReplicas: 3`, and one below it `maxReplicas: 2`: what the stronger one says holds, and the other gives way. */
function overlay(below: Partial<Scaling>, layer: Partial<Scaling>): Partial<Scaling> {
  const merged = { ...below, ...layer };
  const { minReplicas, maxReplicas, ...rest } = merged;
  if (minReplicas === undefined || maxReplicas === undefined || minReplicas <= maxReplicas) return merged;
  return layer.minReplicas === undefined
    ? { ...rest, minReplicas: maxReplicas, maxReplicas }
    : { ...rest, minReplicas };
}

/**
 * Merges what the layers say, the weakest first. `slots`: how many requests its llama-server works on at once, which is what a
 * replica is meant for unless somebody says otherwise.
 */
export function mergeScaling(defaults: ScalingDefaults, layers: readonly Partial<Scaling>[], slots: number): Scaling {
  const { minReplicas = 0, maxReplicas = Math.max(1, minReplicas), ...said } = layers.reduce(overlay, {});
  return { ...defaults, targetInFlight: slots, ...said, minReplicas, maxReplicas };
}
