import type { PodView } from '../../api/cluster/pod-view.ts';
import { milliseconds, type Duration, type Instant } from '../../domain/units.ts';
import { findPodFailure } from './find-pod-failure.ts';

/**
 * When this process first saw something of a pod, on its own monotonic clock: a cluster's time stamps are other machines'
 * and are never compared with it. What is `undefined` has not been seen. After a restart everything is seen anew, which
 * can only make a timeout longer.
 */
export interface PodHistory {
  /** That the pod exists. */
  readonly exists: Instant;
  readonly running: Instant | undefined;
  /** That it was ready for the first time. It stays when it is not ready any more. */
  readonly ready: FirstReady | undefined;
  /** That its llama-server runs and is not ready (any more). */
  readonly unready: Instant | undefined;
  readonly unschedulable: Instant | undefined;
  /** That it has a node, on which none of its containers has begun. */
  readonly notBegun: Instant | undefined;
  /** That its gate is not open. */
  readonly closed: Instant | undefined;
  readonly deleting: Instant | undefined;
  readonly failed: Instant | undefined;
}

/** How a pod was when it was first seen ready. */
interface FirstReady {
  readonly since: Instant;
  /** By what the cluster says then. */
  readonly loadTime: Duration | undefined;
  /** It was seen before that: it has not been ready long ago. */
  readonly hasCome: boolean;
}

/** The history of a pod after one more look at it. */
export function noteLook(before: PodHistory | undefined, pod: PodView, now: Instant): PodHistory {
  const isReady = pod.endpoint !== undefined;
  const isRunning = pod.server.kind === 'running' || isReady;
  const hasFailed = findPodFailure(pod, before?.ready !== undefined) !== undefined;
  // Once seen, it stays; the others are over when they are seen no more.
  const first = (key: 'running' | 'deleting' | 'failed', isSeen: boolean): Instant | undefined =>
    before?.[key] ?? (isSeen ? now : undefined);
  const lasting = (key: 'unready' | 'unschedulable' | 'notBegun' | 'closed', isSeen: boolean): Instant | undefined =>
    isSeen ? (before?.[key] ?? now) : undefined;
  return {
    exists: before === undefined ? now : before.exists,
    running: first('running', isRunning),
    ready: before?.ready ?? (isReady ? firstReady(before, pod, now) : undefined),
    unready: lasting('unready', isRunning && !isReady),
    unschedulable: lasting('unschedulable', pod.unschedulable !== undefined),
    notBegun: lasting('notBegun', hasNotBegun(pod)),
    closed: lasting('closed', pod.gate?.closed !== false),
    deleting: first('deleting', pod.deleting),
    failed: first('failed', hasFailed),
  };
}

const firstReady = (before: PodHistory | undefined, { loadMs }: PodView, now: Instant): FirstReady => ({
  since: now,
  loadTime: loadMs === undefined ? undefined : milliseconds(loadMs),
  hasCome: before !== undefined,
});

const hasNotBegun = ({ scheduled, phase, deleting, server, others }: PodView): boolean =>
  scheduled &&
  !deleting &&
  phase === 'Pending' &&
  [server, ...others].every(({ kind }) => kind === 'waiting' || kind === 'unknown');
