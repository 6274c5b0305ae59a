import { assertNever } from '../../domain/assert-never.ts';
import { describeCause, type LeaveReason } from '../../domain/leaving.ts';
import {
  causeOf,
  type DrainCause,
  type FailureCode,
  type Replica,
  type Trouble,
  type TroubleCode,
} from '../../domain/replica.ts';
import { type Instant, since } from '../../domain/units.ts';
import type { WaitReason } from '../../domain/wait-reason.ts';
import type { LoadFailure, Phase } from '../../routing/route.ts';
import type { PresetPhase, PresetStatus } from '../model-deployment-schema.ts';
import { cutText, formatTime } from './conditions.ts';
import type { Moment } from './routed-presets.ts';
import type { LastFailure, NameOfPreset, PresetSituation } from './situation.ts';
import { describeLost, type RefusalReason } from './verdict.ts';

/** What a preset's status is written with, beside the preset. */
export interface StatusContext {
  /** Of its ModelDeployment. */
  readonly uid: string;
  /** Whether the status that there is tells of the spec as it is now. */
  readonly isSameSpec: boolean;
  readonly at: Moment;
  readonly nameOf: NameOfPreset;
}

/** The words that `status.presets[].reason` may have. */
type PresetReason = FailureCode | TroubleCode | WaitReason | RefusalReason | LeaveReason;

interface Why {
  readonly reason?: PresetReason;
  readonly message?: string;
}

/** Of a failure with the last lines of its log. */
const MAX_FAILURE = 1024;
const MAX_MESSAGE = 1024;

const PHASES: Readonly<Record<Phase['kind'], PresetPhase>> = {
  unloaded: 'Unloaded',
  waiting: 'Waiting',
  loading: 'Loading',
  ready: 'Ready',
  draining: 'Draining',
  stopping: 'Stopping',
  failed: 'Failed',
};

/** The sentence, and as many of the last lines as there is room for. An edge reads it back in `routed-presets`. */
function describeFailure({ reason, logTail }: LoadFailure): string {
  const sentence = cutText(reason.replaceAll(/\s*\n\s*/gu, ' '), MAX_FAILURE);
  let room = MAX_FAILURE - sentence.length;
  const lines: string[] = [];
  for (const line of logTail.toReversed()) {
    room -= line.length + 1;
    if (room < 0) break;
    lines.unshift(line);
  }
  return [sentence, ...lines].join('\n');
}

const causesOf = (replicas: readonly Replica[]): DrainCause[] => replicas.flatMap((one) => causeOf(one) ?? []);

function describePhase({ phase, replicas, verdict, tooLarge }: PresetSituation, nameOf: NameOfPreset): Why {
  if (verdict.outcome.kind === 'refused') return verdict.outcome.refusal;
  switch (phase.kind) {
    case 'failed':
      return describeFailed(phase);
    case 'waiting':
      return { reason: phase.reason, message: phase.because };
    case 'draining':
    case 'stopping': {
      const [cause] = causesOf(replicas);
      return cause === undefined ? {} : describeCause(cause, nameOf);
    }
    case 'unloaded':
      // It is so before anybody asks for it.
      if (tooLarge !== undefined) return { reason: 'TooLarge', message: tooLarge };
      return describeNames(verdict);
    case 'loading':
      return describeTrouble(phase.trouble) ?? describeNames(verdict);
    case 'ready':
      return describeNames(verdict);
    default:
      return assertNever(phase);
  }
}

const describeFailed = (failure: LoadFailure): Why => ({
  ...(failure.code === undefined ? {} : { reason: failure.code }),
  message: describeFailure(failure),
});

const describeTrouble = (trouble: Trouble | undefined): Why | undefined =>
  trouble === undefined ? undefined : { reason: trouble.code, message: trouble.words };

const describeNames = ({ lost }: PresetSituation['verdict']): Why =>
  lost.length === 0 ? {} : { reason: 'NameConflict', message: describeLost(lost) };

const countIn = (replicas: readonly Replica[], ...kinds: readonly Replica['state']['kind'][]): number =>
  replicas.filter(({ state }) => kinds.includes(state.kind)).length;

const timeOf = (instant: Instant, { now, wall }: Moment): string => formatTime(wall - since(instant, now));

/** Stays the same as long as it was loaded before: the time of a pod that is replaced matters to nobody. */
function lastLoaded({ replicas }: PresetSituation, last: PresetStatus | undefined, at: Moment): Partial<PresetStatus> {
  const [ready] = replicas.flatMap(({ state }) => (state.kind === 'ready' ? [state] : []));
  const known = last?.lastLoadedTime;
  const wasLoaded = last?.readyReplicas !== undefined && last.readyReplicas > 0;
  const measured = last?.loadSeconds === undefined ? {} : { loadSeconds: last.loadSeconds };
  if (ready !== undefined && !(wasLoaded && known !== undefined)) {
    const took = ready.loadTime === undefined ? measured : { loadSeconds: Math.round(ready.loadTime / 1000) };
    return { lastLoadedTime: timeOf(ready.since, at), ...took };
  }
  if (known !== undefined) return { lastLoadedTime: known, ...measured };
  // Whoever was to tell that it was ready has not lived to do so: it is told at the latest when it leaves.
  const [left] = replicas.flatMap((replica) => leavesSince(replica) ?? []);
  return left === undefined ? {} : { lastLoadedTime: timeOf(left, at), ...measured };
}

/** Causes for which nothing leaves that has not been ready. */
const ONLY_READY: ReadonlySet<DrainCause['kind']> = new Set(['idle', 'surplus', 'evicted', 'fairness']);

function leavesSince({ state }: Replica): Instant | undefined {
  const isLeaving = state.kind === 'draining' || state.kind === 'stopping';
  return isLeaving && ONLY_READY.has(state.cause.kind) ? state.since : undefined;
}

function lastUsed(
  { lastUsed: end }: PresetSituation,
  last: PresetStatus | undefined,
  at: Moment,
): Partial<PresetStatus> {
  if (end !== undefined) return { lastUsedTime: timeOf(end, at) };
  return last?.lastUsedTime === undefined ? {} : { lastUsedTime: last.lastUsedTime };
}

/** For whom it leaves or has left, until it is wanted again. */
function evictedFor(
  { phase, replicas }: PresetSituation,
  last: PresetStatus | undefined,
  nameOf: NameOfPreset,
): Partial<PresetStatus> {
  if (phase.kind === 'ready' || phase.kind === 'loading') return {};
  const [beneficiary] = causesOf(replicas).flatMap((cause) =>
    cause.kind === 'evicted' || cause.kind === 'fairness' ? [cause.beneficiary] : [],
  );
  const name = beneficiary === undefined ? last?.evictedFor : nameOf(beneficiary);
  return name === undefined ? {} : { evictedFor: name };
}

/** Failures in a row count until it is ready. */
function failures(phase: Phase, last: PresetStatus | undefined): Partial<PresetStatus> {
  if (phase.kind === 'failed') return { failures: phase.failures };
  return phase.kind === 'ready' || last?.failures === undefined ? {} : { failures: last.failures };
}

function lastFailure(failure: LastFailure | undefined, { now }: Moment): Partial<PresetStatus> {
  if (failure === undefined) return {};
  const { code: reason, rendered, inARow, wait, retryAt, pods } = failure;
  const waits = retryAt > now ? { waitSeconds: Math.round(wait / 1000) } : {};
  return { lastFailure: { reason, rendered, inARow, ...waits, ...(pods.length === 0 ? {} : { podUids: [...pods] }) } };
}

/** Nobody has asked for it since something is known of it. */
const isUntried = ({ phase, verdict, tooLarge }: PresetSituation): boolean =>
  phase.kind === 'unloaded' && verdict.outcome.kind === 'accepted' && tooLarge === undefined;

/**
 * Whether the failure that its status tells of is one of what is declared now, which also the pool's defaults change. Of one without a hash, such as
 * that no node had room, nothing is known against that.
 */
function isOfNow({ verdict: { outcome } }: PresetSituation, { lastFailure }: PresetStatus): boolean {
  if (outcome.kind !== 'accepted' || lastFailure === undefined) return true;
  return lastFailure.rendered === outcome.preset.rendered;
}

/**
 * The phase, and why. After the back-off nobody plans with a failure any more, but until the preset is tried again, or its
 * spec or what its pool adds to that changes, nothing else is known of it: whoever looks later has to see it too.
 */
function describe(
  situation: PresetSituation,
  last: PresetStatus | undefined,
  { isSameSpec, at, nameOf }: StatusContext,
): Pick<PresetStatus, 'phase' | 'reason' | 'message' | 'backOff'> {
  const { phase } = situation;
  if (isUntried(situation) && isSameSpec && last?.phase === 'Failed' && isOfNow(situation, last)) {
    const { reason, message } = last;
    return {
      phase: 'Failed',
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  }
  const { reason, message } = describePhase(situation, nameOf);
  return {
    phase: PHASES[phase.kind],
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message: cutText(message, MAX_MESSAGE) }),
    ...(phase.kind === 'failed' ? { backOff: { nextRetryTime: timeAhead(phase.retryAt, at) } } : {}),
  };
}

/** What a preset is doing. `previous`: what its object's status says of it. */
export function renderPresetStatus(
  situation: PresetSituation,
  previous: PresetStatus | undefined,
  context: StatusContext,
): PresetStatus {
  const { uid, at, nameOf } = context;
  const last = previous?.uid === uid ? previous : undefined;
  const { phase, replicas, verdict } = situation;
  return {
    name: verdict.name,
    ...describe(situation, last, context),
    names: [...verdict.granted],
    uid,
    replicas: countIn(replicas, 'starting', 'ready', 'draining', 'stopping'),
    readyReplicas: countIn(replicas, 'ready'),
    ...failures(phase, last),
    ...lastFailure(situation.lastFailure, at),
    ...lastLoaded(situation, last, at),
    ...lastUsed(situation, last, at),
    ...evictedFor(situation, last, nameOf),
  };
}

const timeAhead = (instant: Instant, { now, wall }: Moment): string => formatTime(wall + since(now, instant));
