import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Failure, Replica, ReplicaState } from '../../domain/replica.ts';
import type { Resources } from '../../domain/resources.ts';
import { replicaId, type BinName } from '../../domain/ids.ts';
import { after, type Instant } from '../../domain/units.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import type { PodTemplate } from './render-pod-template.ts';

/** Why the API server does not take a pod. */
export interface CreateRefusal {
  readonly code: 'CreateRefused' | 'QuotaExceeded';
  readonly message: string;
}

/** A pod that was ordered and is not known to exist. */
export interface Start {
  readonly preset: Preset;
  readonly template: PodTemplate;
  readonly slot: number;
  readonly prefix: string;
  readonly bin: BinName;
  readonly footprint: Resources;
  readonly since: Instant;
  /** It is to be drained or stopped: then it need not come to be. */
  order: { readonly kind: 'close' | 'delete'; readonly since: Instant; readonly cause: DrainCause } | undefined;
  /** It cannot come to be. */
  failure: Failure | undefined;
}

export const nameOf = ({ template, slot }: Start): string => `${template.baseName}-${slot}`;
export const startId = (start: Start): Replica['id'] => replicaId(`start:${nameOf(start)}`);

/** What is observed while there is no pod. */
export const observeStart = (start: Start, now: Instant): Replica => ({
  id: startId(start),
  preset: start.preset.uid,
  pool: start.preset.pool,
  bin: start.bin,
  footprint: start.footprint,
  rendered: start.template.rendered,
  serves: start.template.serves,
  state: stateOf(start, now),
});

function stateOf(start: Start, now: Instant): ReplicaState {
  const { order, failure, since } = start;
  if (failure !== undefined) return { kind: 'failed', failure };
  if (order !== undefined) {
    return { kind: order.kind === 'close' ? 'draining' : 'stopping', since: order.since, cause: order.cause };
  }
  const deadline = startDeadline(start);
  return deadline > now ? { kind: 'starting', since } : { kind: 'failed', failure: tooLate(start, deadline) };
}

/** When it has failed for not having come to be. */
export const startDeadline = ({ since, template }: Start): Instant => after(since, template.settings.provisionTimeout);

const tooLate = ({ template }: Start, at: Instant): Failure => ({
  code: 'ProvisionTimeout',
  reason: `no pod could be created within the provision timeout of ${template.settings.provisionTimeout / 1000} s`,
  exitCode: undefined,
  logTail: [],
  at,
  readyFor: undefined,
});

/** That the API server does not take a pod, in its own words. */
export const refused = ({ code, message }: CreateRefusal, at: Instant): Failure => ({
  code,
  reason: message,
  exitCode: undefined,
  logTail: [],
  at,
  readyFor: undefined,
});

/** What is observed of a preset that is to be started and of which there is no template. */
export const withoutTemplate = (
  { uid, pool, footprint, rendered, serves }: Preset,
  bin: BinName,
  at: Instant,
): Replica => ({
  ...{ id: replicaId(`start:${uid}`), preset: uid, pool, bin, footprint, rendered, serves },
  state: {
    kind: 'failed',
    failure: refused({ code: 'CreateRefused', message: 'there is no template for its pod' }, at),
  },
});

/** Whether a pod of the start's name is what the start wants: of the same life, rendered the same, and staying. */
export const isBornAs = (start: Start, pod: PodView): boolean =>
  pod.preset === start.preset.uid && pod.rendered === start.template.rendered && !pod.deleting;
