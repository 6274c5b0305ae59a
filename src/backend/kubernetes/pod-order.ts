import type { PodView } from '../../api/cluster/pod-view.ts';
import type { DrainCause } from '../../domain/replica.ts';
import type { Instant } from '../../domain/units.ts';
import { nextEpoch } from './next-epoch.ts';

/** What was ordered of a pod and may not be true of it yet. It counts from the moment it is given. */
export type PodOrder =
  | { readonly kind: 'close'; readonly since: Instant; readonly cause: DrainCause }
  | { readonly kind: 'open'; readonly since: Instant }
  | {
      readonly kind: 'delete';
      readonly since: Instant;
      readonly cause: DrainCause;
      /** The gate at which it was ordered: opened since then, the pod stays. `undefined`: it was not closed yet. */
      readonly epoch: number | undefined;
      /** Not every edge has said that it has nothing there. */
      readonly isPresumed: boolean;
    }
  /** It has failed, and that was noted. */
  | { readonly kind: 'forget'; readonly since: Instant };

/** The next write that brings a pod to what was ordered. */
export type PodWrite =
  | { readonly kind: 'close'; readonly cause: DrainCause }
  | { readonly kind: 'open' }
  /** `undefined`: the pod's own grace, which lets its streams end. */
  | { readonly kind: 'delete'; readonly graceSeconds: number | undefined };

/** `settled`: the order is carried out, or can no longer be. `wait`: nothing is to be written until the pod changes. */
export type PodStep = PodWrite | { readonly kind: 'settled' } | { readonly kind: 'wait' };

/** Everything has ended at this pod: what is left is to be ended soon. The least that is not 0, which would not wait at all. */
const SHORT_GRACE = 1;
const settled = { kind: 'settled' } as const;

/** Decides the next write for a pod; `wasReady`: it was seen to be once. A gate that nobody can read is closed, so that it can be drained. */
export function nextStep(pod: PodView, order: PodOrder | undefined, wasReady: boolean): PodStep {
  if (pod.deleting) return waitsForEnd(order) ? { kind: 'wait' } : settled;
  if (order === undefined) return pod.gate === undefined ? closing(pod, { kind: 'ordered' }) : settled;
  switch (order.kind) {
    case 'close':
      return closing(pod, order.cause);
    case 'open':
      return pod.gate?.closed === false ? settled : { kind: 'open' };
    case 'delete':
      return deletion(pod, order);
    case 'forget':
      return removal(pod, wasReady);
  }
}

const waitsForEnd = (order: PodOrder | undefined): boolean => order?.kind === 'delete' || order?.kind === 'forget';

const closing = ({ gate }: PodView, cause: DrainCause): PodStep =>
  gate?.closed === true ? settled : { kind: 'close', cause };

/**
 * Nothing is deleted but behind the closing that the order was given for. Where an edge was only presumed dead, the guard in the
 * pod looks for itself whether its slots are busy.
 */
function deletion(pod: PodView, { cause, epoch, isPresumed }: PodOrder & { readonly kind: 'delete' }): PodStep {
  if (epoch === undefined && pod.gate?.closed !== true) return closing(pod, cause);
  const isBehind = pod.gate?.closed === true && (epoch === undefined || epoch === pod.gate.epoch);
  return isBehind ? { kind: 'delete', graceSeconds: isPresumed ? undefined : SHORT_GRACE } : settled;
}

/**
 * A pod that has become ready in the last instant stays. One that was ready, and whose server has not ended, may still
 * answer requests: it ends in its own time.
 */
function removal({ endpoint, server }: PodView, wasReady: boolean): PodStep {
  if (endpoint !== undefined) return settled;
  const mayServe = wasReady && server.kind === 'running';
  return { kind: 'delete', graceSeconds: mayServe ? undefined : SHORT_GRACE };
}

/** The pod as if its order were carried out already, as far as that concerns its gate. */
export function asOrdered(pod: PodView, order: PodOrder | undefined): PodView {
  if (order?.kind === 'close') {
    return { ...pod, gate: { closed: true, epoch: nextEpoch(pod) }, drainCause: order.cause };
  }
  if (order?.kind === 'open') return { ...pod, gate: { closed: false, epoch: nextEpoch(pod) } };
  return pod;
}
