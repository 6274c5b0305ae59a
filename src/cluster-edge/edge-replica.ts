import { WHOLE_POOL } from '../domain/pool.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import { poolName, replicaId } from '../domain/ids.ts';
import type { DrainCause, Replica, ReplicaState } from '../domain/replica.ts';
import { milliseconds, type Instant } from '../domain/units.ts';

/** What a pod is to an edge; `undefined`: nothing any more. `now` stands for times that no edge looks at. */
export function edgeReplica(pod: PodView, now: Instant): Replica | undefined {
  const state = stateOf(pod, now);
  if (state === undefined) return undefined;
  const { uid, preset, pool, rendered, serves } = pod;
  return {
    id: replicaId(uid),
    preset,
    pool: poolName(pool),
    bin: WHOLE_POOL,
    footprint: NO_RESOURCES,
    rendered,
    serves,
    state,
  };
}

/**
 * The operator's view is finer; this is what matters for who gets requests. First match of:
 *
 * | deleted | ended | gate is open | answers | state    |
 * |---------|-------|--------------|---------|----------|
 * | yes     |       |              |         | stopping |
 * | no      | yes   |              |         | none     |
 * | no      | no    | no           |         | draining |
 * | no      | no    | yes          | yes     | ready    |
 * | no      | no    | yes          | no      | starting |
 */
function stateOf(
  { deleting, phase, gate, drainCause, endpoint, loadMs }: PodView,
  now: Instant,
): ReplicaState | undefined {
  const cause: DrainCause = drainCause ?? { kind: 'deleted' };
  if (deleting) return { kind: 'stopping', since: now, cause };
  if (phase === 'Failed' || phase === 'Succeeded') return undefined;
  if (gate?.closed !== false) return { kind: 'draining', since: now, cause };
  if (endpoint === undefined) return { kind: 'starting', since: now };
  return { kind: 'ready', since: now, loadTime: milliseconds(loadMs ?? 0), endpoint };
}
