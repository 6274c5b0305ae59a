import { isDeepStrictEqual } from 'node:util';
import type { ModelPoolStatus } from '../model-pool-schema.ts';
import { type Finding, formatTime, renderConditions } from './conditions.ts';
import type { ClusterPool } from './decode-objects.ts';
import type { Moment } from './routed-presets.ts';
import type { PoolSituation } from './situation.ts';

/** As the schema says. */
const MAX_LRU = 1024;

function findAccepted({ decoded }: ClusterPool): Finding {
  const type = 'Accepted';
  if (decoded.kind === 'valid') return { type, holds: true, reason: 'Accepted', message: 'the spec is used' };
  return { type, holds: false, reason: 'InvalidSpec', message: decoded.message };
}

function describeCapacity({ decoded }: ClusterPool): string {
  if (decoded.kind === 'invalid') return 'unknown';
  const { maxLoaded, paused } = decoded.spec.pool;
  if (paused) return 'paused';
  return maxLoaded === 0 ? 'no limit' : String(maxLoaded);
}

const withoutLru = (status: ModelPoolStatus): object => ({ ...status, lru: undefined });

/**
 * The status of a ModelPool. The status that it has is returned if nothing has changed; the order of use changes with every
 * request, and counts as a change only where `isLruDue`.
 */
export function renderPoolStatus(situation: PoolSituation, at: Moment, isLruDue: boolean): ModelPoolStatus {
  const { pool, loaded, waiting, idle } = situation;
  const { generation, status: previous } = pool;
  const about = { generation, previous: previous?.conditions, time: formatTime(at.wall) };
  const next = {
    observedGeneration: generation,
    conditions: renderConditions([findAccepted(pool)], about),
    loaded,
    capacity: describeCapacity(pool),
    waiting,
    lru: idle.slice(0, MAX_LRU),
  };
  if (previous === undefined) return next;
  const isSame = isLruDue
    ? isDeepStrictEqual(previous, next)
    : isDeepStrictEqual(withoutLru(previous), withoutLru(next));
  return isSame ? previous : next;
}
