import type { PodView } from '../../api/cluster/pod-view.ts';
import type { DrainCause, Failure, ReplicaState, Trouble } from '../../domain/replica.ts';
import { after, since, type Duration, type Instant } from '../../domain/units.ts';
import { findPodFailure, isWithoutNode, type PodFailure } from './find-pod-failure.ts';
import { findTrouble, schedulerTrouble, type Sight } from './find-trouble.ts';
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
 * What a pod is. One that is deleted holds what it holds until its object is gone; but where it was deleted since its node is no
 * more, it has failed first. Without limits (nobody declares it any more) it never fails for being slow. First match of:
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
  sight: Sight,
): ReplicaState {
  const { now, lastLoad } = sight;
  if (pod.deleting && !isCollected(pod, history)) {
    return { kind: 'stopping', since: history.deleting ?? now, cause: deletionCause(pod) };
  }
  const trouble = findTrouble(pod, history, sight);
  const failure = failureOf({ pod, history, trouble }, limits, now);
  if (failure !== undefined) return { kind: 'failed', failure };
  if (pod.gate?.closed !== false) {
    return { kind: 'draining', since: history.closed ?? now, cause: pod.drainCause ?? { kind: 'ordered' } };
  }
  return liveState({ pod, history, trouble }, limits, lastLoad);
}

/** It is said to have failed no later than to be deleted: one that was being deleted when its node went ends as that. */
const isCollected = (pod: PodView, { failed, deleting }: PodHistory): boolean =>
  isWithoutNode(pod) && failed !== undefined && deleting !== undefined && failed <= deleting;

/** Corral closes the gate before it deletes a pod; nobody else does. */
export function deletionCause({ gate, drainCause, nodeLost, disruption }: PodView): DrainCause {
  if (gate?.closed === true && drainCause !== undefined) return drainCause;
  if (nodeLost) return { kind: 'nodeLost' };
  return { kind: 'deleted', ...(disruption === undefined ? {} : { words: disruption.message }) };
}

/** What a pod is if nothing is said against it: ready or on its way there. */
function liveState(known: Known, limits: PodLimits | undefined, lastLoad: Sight['lastLoad']): ReplicaState {
  const { pod, history, trouble } = known;
  const { ready, exists } = history;
  if (pod.endpoint === undefined || ready === undefined) {
    return { kind: 'starting', since: exists, ...(trouble === undefined ? {} : { trouble }) };
  }
  const took = ready.hasCome ? ready.loadTime : (lastLoad(pod.preset) ?? ready.loadTime);
  return { kind: 'ready', since: ready.since, loadTime: withinLimits(took, limits), endpoint: pod.endpoint };
}

/**
 * A load that took longer would have failed: then it is the time since which the pod is ready again, after hours it may be, and nobody knows how long
 * the load took.
 */
function withinLimits(took: Duration | undefined, limits: PodLimits | undefined): Duration | undefined {
  if (took === undefined || limits === undefined) return undefined;
  return took > limits.provisionTimeout + limits.loadTimeout ? undefined : took;
}

/** When an open pod will have failed for being slow, if nothing changes; `undefined`: never. */
export function deadlineOf(pod: PodView, history: PodHistory, limits: PodLimits | undefined): Instant | undefined {
  return limits === undefined || pod.deleting
    ? undefined
    : findDeadline({ pod, history, trouble: undefined }, limits)?.at;
}

/** What is known of a pod. */
interface Known {
  readonly pod: PodView;
  readonly history: PodHistory;
  readonly trouble: Trouble | undefined;
}

function failureOf(known: Known, limits: PodLimits | undefined, now: Instant): Failure | undefined {
  const { pod, history } = known;
  const found = findPodFailure(pod, history.ready !== undefined);
  if (found !== undefined) return withTimes(found, history, history.failed ?? now);
  const deadline = limits === undefined ? undefined : findDeadline(known, limits);
  return deadline === undefined || deadline.at > now ? undefined : withTimes(deadline.failure, history, deadline.at);
}

const withTimes = (failure: PodFailure, { exists, ready }: PodHistory, at: Instant): Failure => ({
  ...failure,
  at,
  startedAt: exists,
  readyFor: ready === undefined ? undefined : since(ready.since, at),
});

const withoutLog = { exitCode: undefined, logTail: [] } as const;

/** The limit that a pod with an open gate is under. What troubles it then is part of the reason. */
function findDeadline({ pod, history, trouble }: Known, limits: PodLimits): Deadline | undefined {
  if (pod.gate?.closed !== false) return undefined;
  const { unschedulableAfter, provisionTimeout, loadTimeout } = limits;
  const words = trouble === undefined ? '' : `: ${trouble.words}`;
  if (history.unschedulable !== undefined) {
    const { code, words: reason } = schedulerTrouble(pod.unschedulable ?? '');
    return { at: after(history.unschedulable, unschedulableAfter), failure: { code, reason, ...withoutLog } };
  }
  if (history.running === undefined) {
    const reason = `llama-server was not running within its provision timeout of ${provisionTimeout / 1000} s${words}`;
    return {
      at: after(history.exists, provisionTimeout),
      failure: { code: 'ProvisionTimeout', reason, ...withoutLog },
    };
  }
  if (history.unready === undefined) return undefined;
  const how = history.ready === undefined ? 'was not ready' : 'has not been ready again';
  const code = pod.nodeLost ? 'NodeLost' : 'LoadTimeout';
  const reason = `llama-server ${how} within its load timeout of ${loadTimeout / 1000} s${words}`;
  return { at: after(history.unready, loadTimeout), failure: { code, reason, ...withoutLog } };
}
