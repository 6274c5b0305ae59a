import type { PresetUid } from './ids.ts';
import type { DrainCause } from './replica.ts';

/** Why a replica goes, in one word. */
export type LeaveReason =
  | 'Idle'
  | 'Surplus'
  | 'Evicted'
  | 'Removed'
  | 'Changed'
  | 'Ordered'
  | 'PoolPaused'
  | 'CapacityLowered'
  | 'PodDeleted'
  | 'NodeLost'
  | 'Failed';

/** Why a replica goes, in one word and in words. */
export interface Leave {
  readonly reason: LeaveReason;
  readonly message: string;
}

type CauseFor = Extract<DrainCause, { readonly beneficiary: unknown }>;

const CAUSES: Readonly<Record<Exclude<DrainCause['kind'], CauseFor['kind']>, Leave>> = {
  idle: { reason: 'Idle', message: 'nobody has used it for its idle timeout' },
  surplus: { reason: 'Surplus', message: 'its requests need fewer replicas' },
  removed: { reason: 'Removed', message: 'it is not declared any more, or not accepted' },
  changed: { reason: 'Changed', message: 'what it runs has been changed' },
  ordered: { reason: 'Ordered', message: 'somebody has ordered it to be unloaded' },
  paused: { reason: 'PoolPaused', message: 'its ModelPool is paused' },
  capacity: { reason: 'CapacityLowered', message: 'its ModelPool holds fewer models now' },
  deleted: { reason: 'PodDeleted', message: 'somebody has deleted its pod' },
  nodeLost: {
    reason: 'NodeLost',
    message: 'its node does not answer: its pod stays until the node is back, or is deleted from the cluster',
  },
  failed: { reason: 'Failed', message: 'it has failed, and what is left of it is being removed' },
};

/** Why a replica goes. `nameOf`: what a preset is called; `undefined`: nobody declares it, or nobody is to know. */
export function describeCause(cause: DrainCause, nameOf: (preset: PresetUid) => string | undefined): Leave {
  if (cause.kind === 'deleted' && cause.words !== undefined) {
    return { ...CAUSES.deleted, message: `${CAUSES.deleted.message}: ${cause.words}` };
  }
  if (cause.kind !== 'evicted' && cause.kind !== 'fairness') return CAUSES[cause.kind];
  return { reason: 'Evicted', message: `it makes room for ${nameOf(cause.beneficiary) ?? 'another model'}` };
}
