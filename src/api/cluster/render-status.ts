import type { ModelDeploymentStatus, PresetStatus } from '../model-deployment-schema.ts';
import { type ConditionReason, cutText, type Finding, formatTime, renderConditions } from './conditions.ts';
import { renderPresetStatus } from './render-preset-status.ts';
import type { Moment } from './routed-presets.ts';
import { saysTheSame } from './says-the-same.ts';
import type { DeploymentSituation, NameOfPreset, PresetSituation } from './situation.ts';
import { describeLost } from './verdict.ts';

/** Wide enough for a column of `kubectl get`. */
const MAX_MODELS = 100;

type Why = Pick<Finding, 'reason' | 'message'>;

const yes = (type: string, reason: ConditionReason, message: string): Finding => ({
  type,
  holds: true,
  reason,
  message,
});
const no = (type: string, { reason, message }: Why): Finding => ({ type, holds: false, reason, message });

const isAccepted = ({ verdict }: PresetSituation): boolean => verdict.outcome.kind === 'accepted';

/** What is wrong with what a preset declares: it is refused, or names of it belong to others. */
function complain({ verdict }: PresetSituation): (Why & { readonly preset: string })[] {
  const { name: preset, outcome, lost } = verdict;
  if (outcome.kind === 'refused') return [{ preset, ...outcome.refusal }];
  return lost.length === 0 ? [] : [{ preset, reason: 'NameConflict', message: describeLost(lost) }];
}

/** The reason of the first preset with whose declaration something is wrong, and all of them in words; `undefined`: all are well. */
function complainOfAll({ presets }: DeploymentSituation): Why | undefined {
  const complaints = presets.flatMap(complain);
  const [first] = complaints;
  if (first === undefined) return undefined;
  const byMessage = Map.groupBy(complaints, ({ message }) => message);
  const clauses = [...byMessage].map(([message, of]) => `${of.map(({ preset }) => preset).join(', ')}: ${message}`);
  return { reason: first.reason, message: clauses.join('; ') };
}

/** Why nothing at all of this generation is used; `undefined`: something is. */
function refuseAll({ deployment, presets }: DeploymentSituation): Why | undefined {
  const { decoded } = deployment;
  if (decoded.kind === 'invalid') return { reason: 'InvalidSpec', message: decoded.message };
  if (presets.some(isAccepted)) return undefined;
  return { reason: 'NoPresetAccepted', message: 'none of its presets is accepted' };
}

function findPresetsAccepted(complaint: Why | undefined, invalid: Why | undefined): Finding {
  const type = 'PresetsAccepted';
  if (complaint !== undefined) return no(type, complaint);
  // Without presets, the spec cannot be read.
  return invalid === undefined ? yes(type, 'Accepted', 'every preset is accepted') : no(type, invalid);
}

/** Why not every accepted preset is loaded or can be loaded by a request; `undefined`: it is so. */
function findObstacle(situation: DeploymentSituation, presets: readonly PresetStatus[]): Why | undefined {
  const { deployment, isPoolPaused, edges } = situation;
  if (isPoolPaused) return { reason: 'PoolPaused', message: `the ModelPool ${deployment.pool} is paused` };
  const failed = presets.flatMap(({ name, phase, message = '' }) =>
    phase === 'Failed' ? [`${name}: ${message.split('\n').slice(0, 1).join()}`] : [],
  );
  if (failed.length > 0) return { reason: 'LoadFailed', message: failed.join('; ') };
  const [troubled] = situation.presets.flatMap(({ verdict, phase }) =>
    phase.kind === 'loading' && phase.trouble !== undefined ? [{ verdict, trouble: phase.trouble }] : [],
  );
  if (troubled !== undefined) {
    const { verdict, trouble } = troubled;
    return { reason: trouble.code, message: `${verdict.name}: ${trouble.words}` };
  }
  const large = situation.presets.flatMap(({ verdict, tooLarge }) =>
    tooLarge === undefined ? [] : [`${verdict.name}: ${tooLarge}`],
  );
  if (large.length > 0) return { reason: 'TooLarge', message: large.join('; ') };
  return edges > 0 ? undefined : { reason: 'NoEdge', message: 'no edge is alive, so that no request reaches a model' };
}

/** Its reason and message are what `kubectl get` shows: they tell also of what the other conditions are about. */
function findReady(
  situation: DeploymentSituation,
  presets: readonly PresetStatus[],
  complaint: Why | undefined,
): Finding {
  const type = 'Ready';
  const obstacle = findObstacle(situation, presets);
  if (obstacle !== undefined) return no(type, obstacle);
  const well = 'every accepted preset is loaded, or is loaded when it is asked for';
  return complaint === undefined
    ? yes(type, 'Ready', well)
    : yes(type, 'PartlyAccepted', `${well}; not accepted: ${complaint.message}`);
}

function findAll(situation: DeploymentSituation, presets: readonly PresetStatus[]): Finding[] {
  const refused = refuseAll(situation);
  const complaint = complainOfAll(situation);
  const accepted = refused === undefined ? yes('Accepted', 'Accepted', 'the spec is used') : no('Accepted', refused);
  const ready = refused === undefined ? findReady(situation, presets, complaint) : no('Ready', complaint ?? refused);
  return [accepted, findPresetsAccepted(complaint, refused), ready];
}

/** The model names, for people: as clients know them, without presets whose names all belong to others. */
const describeModels = (presets: readonly PresetSituation[]): string =>
  cutText(presets.flatMap(({ verdict: { granted } }) => granted.slice(0, 1)).join(', '), MAX_MODELS);

const countLoaded = (presets: readonly PresetStatus[]): string =>
  `${presets.filter(({ readyReplicas = 0 }) => readyReplicas > 0).length}/${presets.length}`;

/**
 * The status of a ModelDeployment. `previous` itself is returned if nothing has changed but times: then nothing is written.
 */
export function renderStatus(situation: DeploymentSituation, at: Moment, nameOf: NameOfPreset): ModelDeploymentStatus {
  const { deployment } = situation;
  const { ref, generation, status: previous } = deployment;
  const before = new Map((previous?.presets ?? []).map((preset) => [preset.name, preset]));
  const context = { uid: ref.uid, isSameSpec: previous?.observedGeneration === generation, at, nameOf };
  const presets = situation.presets.map((preset) =>
    renderPresetStatus(preset, before.get(preset.verdict.name), context),
  );
  const about = { generation, previous: previous?.conditions, time: formatTime(at.wall) };
  const next = {
    observedGeneration: generation,
    conditions: renderConditions(findAll(situation, presets), about),
    presets,
    models: describeModels(situation.presets),
    loaded: countLoaded(presets),
  };
  return previous !== undefined && saysTheSame(previous, next) ? previous : next;
}
