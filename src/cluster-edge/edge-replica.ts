import type { PodView } from '../api/cluster/pod-view.ts';
import { poolName, replicaId } from '../domain/ids.ts';
import type { DrainCause, Replica, ReplicaState } from '../domain/replica.ts';
import { milliseconds, type Instant } from '../domain/units.ts';

/** Of a replica, what an edge goes by. */
export type EdgeReplica = Pick<Replica, 'id' | 'preset' | 'pool' | 'serves' | 'state'>;

/** What a pod is to an edge; `undefined`: nothing any more. `now` stands for times that no edge looks at. */
export function edgeReplica(pod: PodView, now: Instant): EdgeReplica | undefined {
  const state = stateOf(pod, now);
  const { uid, preset, pool, serves } = pod;
  return state === undefined ? undefined : { id: replicaId(uid), preset, pool: poolName(pool), serves, state };
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
  const loadTime = loadMs === undefined ? undefined : milliseconds(loadMs);
  return { kind: 'ready', since: now, loadTime, endpoint };
}
