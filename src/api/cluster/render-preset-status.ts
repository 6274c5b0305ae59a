import { assertNever } from '../../domain/assert-never.ts';
import { causeOf, type DrainCause, type Replica } from '../../domain/replica.ts';
import { type Instant, since } from '../../domain/units.ts';
import type { LoadFailure, Phase } from '../../routing/route.ts';
import type { PresetPhase, PresetStatus } from '../model-deployment-schema.ts';
import { cutText, formatTime } from './conditions.ts';
import type { Moment } from './routed-presets.ts';
import type { NameOfPreset, PresetSituation } from './situation.ts';
import { describeLost } from './verdict.ts';

/** What a preset's status is written with, beside the preset. */
export interface StatusContext {
  /** Of its ModelDeployment. */
  readonly uid: string;
  /** Whether the status that there is tells of the spec as it is now. */
  readonly isSameSpec: boolean;
  readonly at: Moment;
  readonly nameOf: NameOfPreset;
}

interface Why {
  readonly reason?: string;
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

type CauseFor = Extract<DrainCause, { readonly beneficiary: unknown }>;

const CAUSES: Readonly<Record<Exclude<DrainCause['kind'], CauseFor['kind']>, Required<Why>>> = {
  idle: { reason: 'Idle', message: 'nobody has used it for its idle timeout' },
  surplus: { reason: 'Surplus', message: 'its requests need fewer replicas' },
  removed: { reason: 'Removed', message: 'it is not declared any more, or not accepted' },
  changed: { reason: 'Changed', message: 'what it runs has been changed' },
  ordered: { reason: 'Ordered', message: 'somebody has ordered it to be unloaded' },
  paused: { reason: 'PoolPaused', message: 'its ModelPool is paused' },
  capacity: { reason: 'CapacityLowered', message: 'its ModelPool holds fewer models now' },
  deleted: { reason: 'PodDeleted', message: 'somebody has deleted its pod' },
  failed: { reason: 'Failed', message: 'it has failed, and what is left of it is being removed' },
};

/** Why a replica goes, in one word and in words. */
export function describeCause(cause: DrainCause, nameOf: NameOfPreset): Required<Why> {
  if (cause.kind !== 'evicted' && cause.kind !== 'fairness') return CAUSES[cause.kind];
  return { reason: 'Evicted', message: `it makes room for ${nameOf(cause.beneficiary) ?? 'another model'}` };
}

const causesOf = (replicas: readonly Replica[]): DrainCause[] => replicas.flatMap((one) => causeOf(one) ?? []);

function describePhase({ phase, replicas, verdict, tooLarge }: PresetSituation, nameOf: NameOfPreset): Why {
  if (verdict.outcome.kind === 'refused') return verdict.outcome.refusal;
  switch (phase.kind) {
    case 'failed':
      return { reason: phase.code ?? 'LoadFailed', message: describeFailure(phase) };
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
    case 'ready':
      return describeNames(verdict);
    default:
      return assertNever(phase);
  }
}

const describeNames = ({ lost }: PresetSituation['verdict']): Why =>
  lost.length === 0 ? {} : { reason: 'NameConflict', message: describeLost(lost) };

const countIn = (replicas: readonly Replica[], ...kinds: readonly Replica['state']['kind'][]): number =>
  replicas.filter(({ state }) => kinds.includes(state.kind)).length;

const timeOf = (instant: Instant, { now, wall }: Moment): string => formatTime(wall - since(instant, now));

/** Stays the same as long as it was loaded before: the time of a pod that is replaced matters to nobody. */
function lastLoaded({ replicas }: PresetSituation, last: PresetStatus | undefined, at: Moment): Partial<PresetStatus> {
  const [since] = replicas.flatMap(({ state }) => (state.kind === 'ready' ? [state.since] : []));
  const known = last?.lastLoadedTime;
  const wasLoaded = last?.readyReplicas !== undefined && last.readyReplicas > 0;
  if (since !== undefined && !(wasLoaded && known !== undefined)) return { lastLoadedTime: timeOf(since, at) };
  return known === undefined ? {} : { lastLoadedTime: known };
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

/** Nobody has asked for it since something is known of it. */
const isUntried = ({ phase, verdict, tooLarge }: PresetSituation): boolean =>
  phase.kind === 'unloaded' && verdict.outcome.kind === 'accepted' && tooLarge === undefined;

/**
 * The phase, and why. After the back-off nobody plans with a failure any more, but until the preset is tried again, or its
 * spec changes, nothing else is known of it: whoever looks later has to see it too.
 */
function describe(
  situation: PresetSituation,
  last: PresetStatus | undefined,
  { isSameSpec, at, nameOf }: StatusContext,
): Pick<PresetStatus, 'phase' | 'reason' | 'message' | 'backOff'> {
  const { phase } = situation;
  if (isUntried(situation) && isSameSpec && last?.phase === 'Failed') {
    const { reason, message, backOff } = last;
    return {
      phase: 'Failed',
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      ...(backOff === undefined ? {} : { backOff }),
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
    ...lastLoaded(situation, last, at),
    ...lastUsed(situation, last, at),
    ...evictedFor(situation, last, nameOf),
  };
}

const timeAhead = (instant: Instant, { now, wall }: Moment): string => formatTime(wall + since(now, instant));
