import type { PodView } from '../../api/cluster/pod-view.ts';
import type { DrainCause, Failure, ReplicaState } from '../../domain/replica.ts';
import { after, since, type Duration, type Instant } from '../../domain/units.ts';
import { findPodFailure, type PodFailure } from './find-pod-failure.ts';
import type { PodHistory } from './pod-history.ts';

/** How long a pod may take. */
export interface PodLimits {
  readonly unschedulableAfter: Duration;
  readonly provisionTimeout: Duration;
  readonly loadTimeout: Duration;
}

/** One limit of a pod: when it ends, and what the pod has failed with then. */
interface Deadline {
  readonly at: Instant;
  readonly failure: PodFailure;
}

/**
 * What a pod is. One that is deleted holds what it holds until its object is gone. Without limits (nobody declares it any
 * more) it never fails for being slow. First match of:
 *
 * | deleted | failed or too slow | gate not open | ready | state    |
 * |---------|--------------------|---------------|-------|----------|
 * | yes     |                    |               |       | stopping |
 * | no      | yes                |               |       | failed   |
 * | no      | no                 | yes           |       | draining |
 * | no      | no                 | no            | yes   | ready    |
 * | no      | no                 | no            | no    | starting |
 */
export function observePod(
  pod: PodView,
  history: PodHistory,
  limits: PodLimits | undefined,
  now: Instant,
): ReplicaState {
  if (pod.deleting) {
    return { kind: 'stopping', since: history.deleting ?? now, cause: deletionCause(pod) };
  }
  const failure = failureOf(pod, history, limits, now);
  if (failure !== undefined) return { kind: 'failed', failure };
  if (pod.gate?.closed !== false) {
    return { kind: 'draining', since: history.closed ?? now, cause: pod.drainCause ?? { kind: 'ordered' } };
  }
  return liveState(pod, history);
}

/** Corral closes the gate before it deletes a pod; nobody else does. */
const deletionCause = ({ gate, drainCause }: PodView): DrainCause =>
  gate?.closed === true && drainCause !== undefined ? drainCause : { kind: 'deleted' };

/** What a pod is if nothing is said against it: ready or on its way there. */
export function liveState({ endpoint }: PodView, { ready, exists }: PodHistory): ReplicaState {
  return endpoint === undefined || ready === undefined
    ? { kind: 'starting', since: exists }
    : { kind: 'ready', ...ready, endpoint };
}

/** When an open pod will have failed for being slow, if nothing changes; `undefined`: never. */
export function deadlineOf(pod: PodView, history: PodHistory, limits: PodLimits | undefined): Instant | undefined {
  return limits === undefined || pod.deleting ? undefined : findDeadline(pod, history, limits)?.at;
}

function failureOf(
  pod: PodView,
  history: PodHistory,
  limits: PodLimits | undefined,
  now: Instant,
): Failure | undefined {
  const found = findPodFailure(pod, history.ready !== undefined);
  if (found !== undefined) return withTimes(found, history, history.failed ?? now);
  const deadline = limits === undefined ? undefined : findDeadline(pod, history, limits);
  return deadline === undefined || deadline.at > now ? undefined : withTimes(deadline.failure, history, deadline.at);
}

const withTimes = (failure: PodFailure, { ready }: PodHistory, at: Instant): Failure => ({
  ...failure,
  at,
  readyFor: ready === undefined ? undefined : since(ready.since, at),
});

const withoutLog = { exitCode: undefined, logTail: [] } as const;

/** The words of kube-scheduler's filters for what a node would have if others left it (Kubernetes v1.34, pkg/scheduler/framework/plugins). */
const LACK_OF_ROOM = /\bInsufficient |Too many pods|exceed max volume count|cannot allocate all claims/u;

/** The limit that a pod with an open gate is under. */
function findDeadline(pod: PodView, history: PodHistory, limits: PodLimits): Deadline | undefined {
  if (pod.gate?.closed !== false) return undefined;
  const { unschedulableAfter, provisionTimeout, loadTimeout } = limits;
  if (history.unschedulable !== undefined) {
    const words = pod.unschedulable ?? '';
    const code = LACK_OF_ROOM.test(words) ? 'Unschedulable' : 'NoNode';
    const failure = { code, reason: `no node takes the pod: ${words}`, ...withoutLog } as const;
    return { at: after(history.unschedulable, unschedulableAfter), failure };
  }
  if (history.running === undefined) {
    const reason = `llama-server was not running within its provision timeout of ${provisionTimeout / 1000} s`;
    return {
      at: after(history.exists, provisionTimeout),
      failure: { code: 'ProvisionTimeout', reason, ...withoutLog },
    };
  }
  if (history.unready === undefined) return undefined;
  const how = history.ready === undefined ? 'was not ready' : 'has not been ready again';
  const reason = `llama-server ${how} within its load timeout of ${loadTimeout / 1000} s`;
  return { at: after(history.unready, loadTimeout), failure: { code: 'LoadTimeout', reason, ...withoutLog } };
}
