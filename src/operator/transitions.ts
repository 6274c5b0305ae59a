import type { DeploymentSituation, LastFailure, NameOfPreset, PresetSituation } from '../api/cluster/situation.ts';
import { type DeploymentRef, describeLost, type RefusalReason } from '../api/cluster/verdict.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { describeCause } from '../domain/leaving.ts';
import { causeOf, type Replica } from '../domain/replica.ts';
import type { LoadFailure } from '../routing/route.ts';
import type { Situations } from './situations.ts';

/** The words that an Event may have for its reason; a refusal's is that of the status. */
export type EventReason =
  'Started' | 'Loaded' | 'Unloaded' | 'Evicted' | 'Failed' | 'Unschedulable' | 'PresumedDead' | RefusalReason;

/** Something worth an Event. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  /** What Corral did or tried, in one word. */
  readonly action: string;
  /** For people; begins with the preset's name. */
  readonly note: string;
  readonly object: DeploymentRef;
  readonly replica: ReplicaId | undefined;
}

/** Before its pod exists, a replica is an order. */
const isPod = ({ id }: Replica): boolean => !id.startsWith('start:');

const isLeaving = (replica: Replica): boolean => causeOf(replica) !== undefined;

type Event = Omit<Happening, 'object'>;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** What has become of a replica between two looks; `before` is missing for a new one, `after` for one that is gone. */
function replicaEvents(before: Replica | undefined, after: Replica | undefined, nameOf: NameOfPreset): Event[] {
  if (after === undefined) return before === undefined ? [] : goneEvents(before, nameOf);
  if (!isPod(after)) return [];
  const replica = after.id;
  const started = { type: 'Normal', reason: 'Started', action: 'Start', note: 'its pod is created', replica } as const;
  const { state } = after;
  const isLoaded = state.kind === 'ready' && (before === undefined || before.state.kind === 'starting');
  const events: Event[] = before === undefined ? [started] : [];
  if (!isLoaded) return events;
  const note = state.loadTime === undefined ? 'it is ready' : `it is ready after ${seconds(state.loadTime)}`;
  return [...events, { type: 'Normal', reason: 'Loaded', action: 'Load', note, replica }];
}

/** A replica that goes without having been told to has failed: that is told of its preset. */
function goneEvents(before: Replica, nameOf: NameOfPreset): Event[] {
  const { state } = before;
  if (state.kind !== 'draining' && state.kind !== 'stopping') return [];
  if (state.cause.kind === 'failed') return [];
  const { reason, message } = describeCause(state.cause, nameOf);
  const word = reason === 'Evicted' ? 'Evicted' : 'Unloaded';
  return [{ type: 'Normal', reason: word, action: 'Stop', note: `it is gone, because ${message}`, replica: before.id }];
}

/** The replicas that have ended without an order. */
function findLost(before: PresetSituation, after: PresetSituation): Replica[] {
  const now = new Map(after.replicas.map((replica) => [replica.id, replica]));
  return before.replicas.filter((replica) => {
    const next = now.get(replica.id);
    if (!isPod(replica) || isLeaving(replica)) return false;
    return next === undefined || isFailed(next);
  });
}

const isFailed = ({ state }: Replica): boolean => 'cause' in state && state.cause.kind === 'failed';

/** What no node takes has not failed: it is told of by itself, in the scheduler's words. */
function noPlaceEvents(before: PresetSituation | undefined, { replicas }: PresetSituation, words: Words): Event[] {
  const told = new Set((before?.replicas ?? []).filter(isFailed).map(({ id }) => id));
  return replicas.flatMap((replica): Event[] => {
    const note = words.get(replica.id);
    if (note === undefined || !isFailed(replica) || told.has(replica.id)) return [];
    return [{ ...NO_PLACE, note: `no node takes its pod: ${note}`, replica: replica.id }];
  });
}

function failureEvents(before: PresetSituation | undefined, after: PresetSituation, words: Words): Event[] {
  const lost = before === undefined ? [] : findLost(before, after).filter(({ id }) => !words.has(id));
  const event = { type: 'Warning', reason: 'Failed', action: 'Load', replica: lost[0]?.id } as const;
  const { failure } = after;
  if (failure !== undefined && failure.code !== 'Unschedulable' && isNews(failure, before?.failure)) {
    return [{ ...event, note: failure.reason }];
  }
  return lost.length === 0 ? [] : [{ ...event, note: wordsOfLoss(before?.lastFailure, after.lastFailure) }];
}

/** Why a replica has ended after which another one is tried at once. Of one that was gone before anybody looked nobody knows. */
function wordsOfLoss(before: LastFailure | undefined, after: LastFailure | undefined): string {
  const isKnown = after !== undefined && (before?.inARow !== after.inARow || before.retryAt !== after.retryAt);
  return isKnown ? after.words : 'its llama-server has ended without an order';
}

type Words = Situations['unschedulable'];

const NO_PLACE = { type: 'Warning', reason: 'Unschedulable', action: 'Start' } as const;

const isNews = (failure: LoadFailure, known: LoadFailure | undefined): boolean =>
  known?.failures !== failure.failures || known.retryAt !== failure.retryAt;

/** What has been decided about it, where that has changed. */
function verdictEvents(before: PresetSituation | undefined, { verdict }: PresetSituation): Event[] {
  const { outcome, lost } = verdict;
  const event = { type: 'Warning', action: 'Accept', replica: undefined } as const;
  if (outcome.kind === 'refused') {
    const { reason, message } = outcome.refusal;
    const known = before?.verdict.outcome;
    return known?.kind === 'refused' && known.refusal.reason === reason ? [] : [{ ...event, reason, note: message }];
  }
  const told = before === undefined ? '' : describeLost(before.verdict.lost);
  const note = describeLost(lost);
  return note === '' || note === told ? [] : [{ ...event, reason: 'NameConflict', note }];
}

function presetEvents(
  before: PresetSituation | undefined,
  after: PresetSituation,
  { names, unschedulable }: Situations,
): Event[] {
  const nameOf: NameOfPreset = (uid) => names.get(uid);
  const was = new Map((before?.replicas ?? []).map((replica) => [replica.id, replica]));
  const is = new Map(after.replicas.map((replica) => [replica.id, replica]));
  const ids = [...new Set([...was.keys(), ...is.keys()])];
  return [
    ...verdictEvents(before, after),
    ...ids.flatMap((id) => replicaEvents(was.get(id), is.get(id), nameOf)),
    ...noPlaceEvents(before, after, unschedulable),
    ...failureEvents(before, after, unschedulable),
  ];
}

function deploymentEvents(
  { deployment, presets }: DeploymentSituation,
  before: Situations,
  now: Situations,
): Happening[] {
  return presets.flatMap((after) =>
    presetEvents(before.presets.get(after.verdict.uid), after, now).map((event) => ({
      ...event,
      note: `${after.verdict.name}: ${event.note}`,
      object: deployment.ref,
    })),
  );
}

/**
 * What has happened between two looks, once each. Of a preset that is not declared any more nothing is told: there is no
 * object left to tell it of.
 */
export function findTransitions(before: Situations, after: Situations): Happening[] {
  const changed = after.deployments.filter((one) => one !== before.byUid.get(one.deployment.ref.uid));
  return changed.flatMap((deployment) => deploymentEvents(deployment, before, after));
}
