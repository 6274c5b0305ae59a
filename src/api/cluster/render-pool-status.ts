import { isDeepStrictEqual } from 'node:util';
import type { ModelPoolStatus } from '../model-pool-schema.ts';
import { amountOf, NO_RESOURCES, plus } from '../../domain/resources.ts';
import { describeAmount } from './amount-text.ts';
import { cutText, type Finding, formatTime, renderConditions } from './conditions.ts';
import type { ClusterPool } from './decode-objects.ts';
import type { Moment } from './routed-presets.ts';
import type { PoolSituation } from './situation.ts';

/** As the schema says. */
const MAX_LRU = 1024;
const MAX_QUEUE = 256;
const MAX_CAPACITY = 256;

function findAccepted({ decoded }: ClusterPool): Finding {
  const type = 'Accepted';
  if (decoded.kind === 'valid') return { type, holds: true, reason: 'Accepted', message: 'the spec is used' };
  return { type, holds: false, reason: 'InvalidSpec', message: decoded.message };
}

/** What fits, and what of each resource is taken: `4 models, vram 12Gi of 24Gi`. */
function describeCapacity({ pool: { decoded }, used }: PoolSituation): string {
  if (decoded.kind === 'invalid') return 'unknown';
  const { maxLoaded, paused, bins } = decoded.spec.pool;
  if (paused) return 'paused';
  const size = bins.map((bin) => bin.size ?? NO_RESOURCES).reduce(plus, NO_RESOURCES);
  const models = maxLoaded === 1 ? '1 model' : `${maxLoaded} models`;
  const resources = [...size]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name} ${describeAmount(amountOf(used, name))} of ${describeAmount(amount)}`);
  const parts = [...(maxLoaded === 0 ? [] : [models]), ...resources];
  return parts.length === 0 ? 'no limit' : cutText(parts.join(', '), MAX_CAPACITY);
}

const withoutLru = (status: ModelPoolStatus): object => ({ ...status, lru: undefined });

/**
 * The status of a ModelPool. The status that it has is returned if nothing has changed; the order of use changes with every
 * request, and counts as a change only where `isLruDue`.
 */
export function renderPoolStatus(situation: PoolSituation, at: Moment, isLruDue: boolean): ModelPoolStatus {
  const { pool, loaded, queue, idle } = situation;
  const { generation, status: previous } = pool;
  const about = { generation, previous: previous?.conditions, time: formatTime(at.wall) };
  const next = {
    observedGeneration: generation,
    conditions: renderConditions([findAccepted(pool)], about),
    loaded,
    capacity: describeCapacity(situation),
    waiting: queue.length,
    queue: queue.slice(0, MAX_QUEUE),
    // What an earlier leader has written is all that is known, until somebody tells more.
    lru: idle === undefined ? (previous?.lru ?? []) : idle.slice(0, MAX_LRU),
  };
  if (previous === undefined) return next;
  const isSame = isLruDue
    ? isDeepStrictEqual(previous, next)
    : isDeepStrictEqual(withoutLru(previous), withoutLru(next));
  return isSame ? previous : next;
}
