import type { PodView } from '../../api/cluster/pod-view.ts';
import type { PresetUid } from '../../domain/ids.ts';
import type { Trouble } from '../../domain/replica.ts';
import { after, seconds, type Duration, type Instant } from '../../domain/units.ts';
import { explainNoImageMounts } from './no-image-mounts.ts';
import type { PodHistory } from './pod-history.ts';

/** From when a pod is looked at, and what is known beside it. */
export interface Sight {
  readonly now: Instant;
  /** What its node says in Events why its containers do not begin; `undefined`: nothing, or nobody has asked. */
  readonly nodeWords: string | undefined;
  /** How long the last load of a preset took, as the status of its ModelDeployment says; `undefined`: it does not. */
  readonly lastLoad: (preset: PresetUid) => Duration | undefined;
}

/** What lasts for less than this is no trouble: most of it is over at once. */
export const NOTICE = seconds(2);

/** The words of kube-scheduler's filters for what a node would have if others left it (Kubernetes v1.34, pkg/scheduler/framework/plugins). */
const LACK_OF_ROOM = /\bInsufficient |Too many pods|exceed max volume count|cannot allocate all claims/u;

/** That no node takes a pod, in the scheduler's words. */
export const schedulerTrouble = (words: string): Trouble & { readonly code: 'Unschedulable' | 'NoNode' } => ({
  code: LACK_OF_ROOM.test(words) ? 'Unschedulable' : 'NoNode',
  words: `no node takes the pod: ${words}`,
});

/** What keeps a pod that is not ready from getting on; `undefined`: nothing that is known. */
export function findTrouble(pod: PodView, history: PodHistory, { now, nodeWords }: Sight): Trouble | undefined {
  if (pod.unschedulable !== undefined) {
    const at = noticeAt(history);
    return at !== undefined && at <= now ? schedulerTrouble(pod.unschedulable) : undefined;
  }
  if (pod.nodeLost) return { code: 'NodeLost', words: 'its node does not answer' };
  if (pod.server.kind === 'running') return undefined;
  const words = crashLoop(pod) ?? nodeWords;
  return words === undefined ? undefined : { code: 'NotStarting', words: explainNoImageMounts(words) };
}

/** A sidecar that ends again and again: llama-server may be waiting for it. */
function crashLoop({ others }: PodView): string | undefined {
  const found = others.find((other) => other.kind === 'waiting' && other.reason === 'CrashLoopBackOff');
  if (found?.kind !== 'waiting') return undefined;
  return `the container ${found.name} ends again and again${found.message === '' ? '' : `: ${found.message}`}`;
}

/** From when on it is told that no node takes a pod. */
export const noticeAt = ({ unschedulable }: PodHistory): Instant | undefined =>
  unschedulable === undefined ? undefined : after(unschedulable, NOTICE);
