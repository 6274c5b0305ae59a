import { DEFAULT_UNSCHEDULABLE_AFTER, type ClusterPool } from '../api/cluster/decode-objects.ts';
import type { PoolName } from '../domain/ids.ts';
import type { Duration } from '../domain/units.ts';

/** How long the scheduler may look for a place for a pod of this pool. A pool that is gone says nothing about its last pods. */
export function unschedulableAfter(name: PoolName, pools: readonly ClusterPool[]): Duration {
  const pool = pools.find((one) => one.name === name);
  return pool?.decoded.kind === 'valid' ? pool.decoded.spec.unschedulableAfter : DEFAULT_UNSCHEDULABLE_AFTER;
}
