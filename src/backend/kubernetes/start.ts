import { randomBytes } from 'node:crypto';
import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Failure, Replica, ReplicaState } from '../../domain/replica.ts';
import { replicaId, type BinName, type ReplicaId } from '../../domain/ids.ts';
import { after, milliseconds, seconds, type Instant } from '../../domain/units.ts';
import type { PodView } from '../../api/cluster/pod-view.ts';
import type { PodOrder } from './pod-order.ts';
import { renderPod, type PodIdentity, type PodTemplate, type RenderedPod } from './render-pod-template.ts';

/** Why the API server does not take a pod. */
export interface CreateRefusal {
  readonly code: 'CreateRefused' | 'QuotaExceeded';
  readonly message: string;
}

/**
 * For how long a start is tried again that a ResourceQuota has no room for. An API server goes by what was counted last, and a controller
 * counts later what has gone (k8s.io/kubernetes, pkg/controller/resourcequota): room that has just come free for this start looks used up. It ends
 * before the 5 s within which what an API server says is in the status.
 */
const QUOTA_LAG = seconds(3);

/** A pod that was ordered and is not known to exist. */
export interface Start {
  /** Its own, also where the one before it was refused under the same name: each failure counts. */
  readonly id: ReplicaId;
  readonly preset: Preset;
  readonly template: PodTemplate;
  readonly bin: BinName;
  /** As it is sent. */
  readonly pod: RenderedPod;
  readonly since: Instant;
  state: StartState;
}

/**
 * `close`, `delete`: it is to be drained or stopped, and need not come to be. `failed`: it cannot come to be. `refusal`: why it did not come
 * to be when it was tried last, where that may pass.
 */
export type StartState =
  | { readonly kind: 'wanted'; readonly refusal: CreateRefusal | undefined }
  | { readonly kind: 'close' | 'delete'; readonly since: Instant; readonly cause: DrainCause }
  | { readonly kind: 'failed'; readonly failure: Failure };

type StartOrder = Pick<Start, 'preset' | 'template' | 'bin' | 'since'> & Pick<PodIdentity, 'slot'>;

/** A start of now: its pod is rendered, and has a prefix of its own. */
export function orderStart({ slot, ...order }: StartOrder): Start {
  const { preset, template, bin } = order;
  const prefix = `/corral-${randomBytes(16).toString('hex')}`;
  const pod = renderPod(template, { slot, prefix, bin, footprint: preset.footprint });
  const id = replicaId(`start:${pod.metadata.name}:${randomBytes(4).toString('hex')}`);
  return { ...order, id, pod, state: { kind: 'wanted', refusal: undefined } };
}

/** What a start is after an order. One that took too long may still come to be, and is stopped then. */
export function ordered(order: PodOrder): StartState {
  switch (order.kind) {
    case 'open':
      return { kind: 'wanted', refusal: undefined };
    case 'close':
    case 'delete':
      return { kind: order.kind, since: order.since, cause: order.cause };
    case 'forget':
      return { kind: 'delete', since: order.since, cause: { kind: 'failed' } };
  }
}

/** What is observed while there is no pod. */
export const observeStart = (start: Start, now: Instant): Replica => ({
  id: start.id,
  preset: start.preset.uid,
  pool: start.preset.pool,
  bin: start.bin,
  footprint: start.preset.footprint,
  rendered: start.template.rendered,
  serves: start.template.serves,
  state: stateOf(start, now),
});

function stateOf(start: Start, now: Instant): ReplicaState {
  const { state, since } = start;
  switch (state.kind) {
    case 'failed':
      return state;
    case 'close':
    case 'delete':
      return { ...state, kind: state.kind === 'close' ? 'draining' : 'stopping' };
    case 'wanted': {
      const deadline = startDeadline(start);
      if (deadline > now) return { kind: 'starting', since };
      const { refusal } = state;
      return {
        kind: 'failed',
        failure: refusal === undefined ? tooLate(start, deadline) : refused(refusal, since, deadline),
      };
    }
  }
}

/** When it has failed for not having come to be. Of one that a quota has refused, also where its next try is still to come. */
export function startDeadline({ since, template, state }: Start): Instant {
  const { provisionTimeout } = template.settings;
  const isRefused = state.kind === 'wanted' && state.refusal !== undefined;
  return after(since, isRefused ? milliseconds(Math.min(QUOTA_LAG, provisionTimeout)) : provisionTimeout);
}

/** Whether what has refused it now may let it come to be before long. */
export const mayPass = ({ since }: Start, { code }: CreateRefusal, now: Instant): boolean =>
  code === 'QuotaExceeded' && now < after(since, QUOTA_LAG);

const tooLate = ({ template, since }: Start, at: Instant): Failure => ({
  code: 'ProvisionTimeout',
  reason: `no pod could be created within the provision timeout of ${template.settings.provisionTimeout / 1000} s`,
  exitCode: undefined,
  logTail: [],
  at,
  startedAt: since,
  readyFor: undefined,
});

/** That the API server does not take the pod of a start of `since`, in its own words. */
export const refused = ({ code, message }: CreateRefusal, since: Instant, at: Instant): Failure => ({
  code,
  reason: message,
  exitCode: undefined,
  logTail: [],
  at,
  startedAt: since,
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
    failure: refused({ code: 'CreateRefused', message: 'there is no template for its pod' }, at, at),
  },
});

/** Whether a pod of the start's name is what the start wants: of the same life, rendered the same, and staying. */
export const isBornAs = (start: Start, pod: PodView): boolean =>
  pod.preset === start.preset.uid && pod.rendered === start.template.rendered && !pod.deleting;
