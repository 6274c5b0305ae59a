import { poolName } from '../domain/ids.ts';
import { WHOLE_POOL, type EvictionPolicy, type Pool } from '../domain/pool.ts';
import type { Scaling } from '../domain/preset.ts';
import { type Duration, milliseconds, seconds } from '../domain/units.ts';
import { parseDuration } from './duration-text.ts';
import type { ManifestDefaults } from './model-deployment-schema.ts';
import type { ModelPoolSpec } from './model-pool-schema.ts';
import { readQuantities } from './quantity.ts';

/** The same on one machine and in a cluster: what checked fields of ModelDeployments and ModelPools mean. */
export const DEFAULT_FAIR_AFTER: Duration = seconds(30);

/** Reads a duration whose pattern and limit were checked before; throws for any other text. */
export function readDuration(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`unchecked duration ${text}`);
  return duration;
}

/** What one layer says about scaling; what it leaves out is for the layers below. */
export function decodeScaling(scaling: ManifestDefaults['scaling']): Partial<Scaling> {
  if (scaling === undefined) return {};
  const { minReplicas, maxReplicas, targetInFlight, idleTimeout, loadTimeout, autoload, loadOnStartup } = scaling;
  return {
    ...(minReplicas === undefined ? {} : { minReplicas }),
    ...(maxReplicas === undefined ? {} : { maxReplicas }),
    ...(targetInFlight === undefined ? {} : { targetInFlight }),
    ...(idleTimeout === undefined ? {} : { idleTimeout: readDuration(idleTimeout) }),
    ...(loadTimeout === undefined ? {} : { loadTimeout: readDuration(loadTimeout) }),
    ...(autoload === undefined ? {} : { autoload }),
    ...(loadOnStartup === undefined ? {} : { loadOnStartup }),
  };
}

/** The pool of what names none. `corral serve` declares it itself where no manifest does. */
export const DEFAULT_POOL = 'default';

/** What is said about priorities where nobody says anything. */
export const DEFAULT_PRIORITY = 0;

export const DEFAULT_EVICTION: EvictionPolicy = 'LRUByIdle';

/** The highest priority that a preset may have in a pool. */
export const maxPriorityOf = ({ maxPriority = DEFAULT_PRIORITY }: ModelPoolSpec): number => maxPriority;

/** A pool as the planner knows it. */
export function decodePoolSpec(name: string, spec: ModelPoolSpec): Pool {
  const { policy = DEFAULT_EVICTION, minResidency, fairAfter } = spec.eviction ?? {};
  const resources = spec.capacity?.resources;
  const size = resources === undefined ? undefined : readQuantities(resources, 'down');
  return {
    name: poolName(name),
    maxLoaded: spec.capacity?.maxLoaded ?? 0,
    bins: [{ name: WHOLE_POOL, size }],
    eviction: policy,
    paused: spec.paused ?? false,
    minResidency: minResidency === undefined ? milliseconds(0) : readDuration(minResidency),
    fairAfter: fairAfter === undefined ? DEFAULT_FAIR_AFTER : readDuration(fairAfter),
  };
}
