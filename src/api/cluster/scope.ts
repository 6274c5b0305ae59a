import type { ClusterDeployment, ClusterPool } from './decode-objects.ts';

/** What Corral looks after: by the pool's name, the pools that are there. One that is being deleted is gone. */
export const livingPools = (pools: readonly ClusterPool[]): ReadonlyMap<string, ClusterPool> =>
  new Map(pools.filter(({ isDeleting }) => !isDeleting).map((pool) => [pool.name, pool]));

/**
 * Whether a ModelDeployment is Corral's to run. One in the pool of another controller is left alone entirely: it has neither
 * names nor pods nor status from Corral. One whose pool is missing is Corral's: somebody has to say that it is missing.
 */
export function isInScope({ isDeleting, pool }: ClusterDeployment, living: ReadonlyMap<string, ClusterPool>): boolean {
  return !isDeleting && living.get(pool)?.isOurs !== false;
}
