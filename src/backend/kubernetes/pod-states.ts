import type { PodView } from '../../api/cluster/pod-view.ts';
import { poolName, replicaId, type PoolName, type PresetUid } from '../../domain/ids.ts';
import type { Replica, ReplicaState } from '../../domain/replica.ts';
import type { Duration, Instant } from '../../domain/units.ts';
import { hasEnded } from './find-pod-failure.ts';
import { noticeAt, type Sight } from './find-trouble.ts';
import type { NodeWords } from './node-words.ts';
import { deadlineOf, deletionCause, observePod, type PodLimits } from './observe-pod.ts';
import type { KnownPod } from './pod-book.ts';
import type { PodKeeper } from './pod-keeper.ts';
import { asOrdered } from './pod-order.ts';
import type { PodTemplate } from './render-pod-template.ts';

export interface PodStatesParts {
  readonly templates: (uid: PresetUid) => PodTemplate | undefined;
  readonly unschedulableAfter: (pool: PoolName) => Duration;
  readonly lastLoad: Sight['lastLoad'];
  readonly keeper: Pick<PodKeeper, 'orderOf' | 'isAway'>;
  readonly nodeWords: Pick<NodeWords, 'of'>;
}

/** What pods are as replicas: as they were seen, with what was ordered of them as if it were carried out. */
export class PodStates {
  readonly #parts: PodStatesParts;

  constructor(parts: PodStatesParts) {
    this.#parts = parts;
  }

  /** `undefined`: it holds nothing any more, see `stateOf`. */
  replicaOf(known: KnownPod, now: Instant): Replica | undefined {
    const state = this.stateOf(known, now);
    if (state === undefined) return undefined;
    const { uid, preset, bin, footprint, rendered, serves } = known.pod;
    return { id: replicaId(uid), preset, pool: this.#poolOf(known.pod), bin, footprint, rendered, serves, state };
  }

  /** `undefined`: it has failed, which was noted, and nothing of it runs any more. */
  stateOf({ pod, history, lostSince }: KnownPod, now: Instant): ReplicaState | undefined {
    const { keeper, nodeWords } = this.#parts;
    const order = keeper.orderOf(pod.uid);
    if (order?.kind === 'delete') return { kind: 'stopping', since: order.since, cause: order.cause };
    if (order?.kind === 'forget') {
      return hasEnded(pod) ? undefined : { kind: 'stopping', since: order.since, cause: { kind: 'failed' } };
    }
    // Until somebody has looked what has become of it, it is as it was: another one beside it could be one too many.
    if (lostSince !== undefined && (pod.deleting || keeper.isAway(pod.uid)))
      return { kind: 'stopping', since: lostSince, cause: deletionCause(pod) };
    const sight = { now, nodeWords: nodeWords.of(pod.uid), lastLoad: this.#parts.lastLoad };
    return observePod(asOrdered(pod, order), history, this.#limitsOf(pod), sight);
  }

  /** When a pod will have taken too long, and when it is to be looked into. */
  timesOf({ pod, history }: KnownPod): readonly Instant[] {
    const ordered = asOrdered(pod, this.#parts.keeper.orderOf(pod.uid));
    return [deadlineOf(ordered, history, this.#limitsOf(pod)), noticeAt(history)].filter((at) => at !== undefined);
  }

  /** Where somebody has taken the pool's name away before anybody saw it, that of its preset: it lies somewhere. */
  #poolOf({ preset, pool }: PodView): PoolName {
    return poolName(pool === '' ? (this.#parts.templates(preset)?.settings.pool ?? '') : pool);
  }

  #limitsOf({ preset, pool }: PodView): PodLimits | undefined {
    const settings = this.#parts.templates(preset)?.settings;
    if (settings === undefined) return undefined;
    const { provisionTimeout, loadTimeout } = settings;
    return { unschedulableAfter: this.#parts.unschedulableAfter(poolName(pool)), provisionTimeout, loadTimeout };
  }
}
