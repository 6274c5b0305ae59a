import { assertNever } from '../domain/assert-never.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import { since, type Instant } from '../domain/units.ts';
import type { Blocked, BlockedReason } from '../planner/action.ts';
import type { Leaver, WhatIf } from '../planner/what-if.ts';
import type { ModelPlan, PlannedLeaver, PlannedModel, PlannedOutcome } from '../routing/model-plan.ts';
import type { Refusal } from '../routing/route.ts';
import type { Sight } from '../routing/sight.ts';
import { lackOf } from '../routing/too-large.ts';
import { waitsFor, type Words } from './describe-blocked.ts';

/** Who can say what would become of a request: the control loop. */
export interface Foresight {
  readonly catalog: Catalog;
  /** Changes nothing; `undefined`: there is no such preset. */
  plan(uid: PresetUid): WhatIf | undefined;
  /** In what words the scheduler has refused a preset, if it has. */
  schedulerWords(uid: PresetUid): string | undefined;
}

/** About whom it is asked, and when. */
export interface PlanQuestion {
  readonly uid: PresetUid;
  /** Why a request for it would be refused at once, as its route says. */
  readonly refusal: Refusal | undefined;
  /** Of whoever asks. */
  readonly sight: Sight;
  readonly now: Instant;
}

/** What would become of a request for a preset, for people and programs. `undefined`: there is no such preset. */
export function planFor(control: Foresight, question: PlanQuestion): ModelPlan | undefined {
  const visible = control.catalog.presets.filter(({ model }) => question.sight.sees(model));
  const names = new Map(visible.map(({ uid, model }) => [uid, model]));
  const preset = control.catalog.presets.find(({ uid }) => uid === question.uid);
  const whatIf = control.plan(question.uid);
  if (preset === undefined || whatIf === undefined) return undefined;
  const { model, pool } = preset;
  const words = {
    ...question,
    nameOf: (uid: PresetUid) => names.get(uid),
    schedulerWords: (uid: PresetUid) => control.schedulerWords(uid),
  };
  return { model, pool, ...describeOutcome(whatIf, words) };
}

/** What a description is made with. */
type Telling = Pick<PlanQuestion, 'refusal' | 'sight' | 'now'> & Words;

function describeOutcome(whatIf: WhatIf, telling: Telling): PlannedOutcome {
  switch (whatIf.kind) {
    case 'served':
      return whatIf.ready
        ? { outcome: 'ready', message: 'it is ready' }
        : { outcome: 'loading', message: 'it is loading' };
    case 'returns':
      return { outcome: 'returns', message: 'it is leaving, and would stay' };
    case 'starts':
      return { outcome: 'starts', bin: whatIf.bin, message: 'it would be started at once' };
    case 'waits':
      return describeWait(whatIf, telling);
    default:
      return assertNever(whatIf);
  }
}

function describeWait({ blocked, leaving }: WhatIf & { readonly kind: 'waits' }, telling: Telling): PlannedOutcome {
  const { reason, position } = blocked;
  const { nameOf, now } = telling;
  return {
    outcome: isRefused(blocked, telling) ? 'refused' : 'waits',
    reason: reason.kind,
    message: messageOf(blocked, telling),
    ...(position === undefined ? {} : { position }),
    ...('until' in reason ? { until_seconds: Math.ceil(since(now, reason.until) / 1000) } : {}),
    holders: holdersOf(reason).flatMap((uid) => {
      const name = nameOf(uid);
      return name === undefined ? [] : [name];
    }),
    leaving: leaving.map((leaver) => describeLeaver(leaver, telling)),
  };
}

/** Its route knows that it is too large only when somebody has asked for it: a request is refused at once then, too. */
const isRefused = ({ reason }: Blocked, { refusal }: Telling): boolean =>
  refusal !== undefined || reason.kind === 'TooLarge';

function messageOf(blocked: Blocked, telling: Telling): string {
  const because = becauseOf(blocked, telling);
  if (blocked.reason.kind === 'TooLarge') return `it is too large for its pool: ${lackOf(because)}`;
  return `it ${isRefused(blocked, telling) ? 'waits' : 'would wait'} for ${because}`;
}

/** With the words of its last failure, where that is what keeps it from being started. */
function becauseOf(blocked: Blocked, { refusal, ...words }: Telling): string {
  const { because } = waitsFor(blocked, words);
  const isFailure = blocked.reason.kind === 'BackOff' && refusal?.kind === 'load-failed';
  return isFailure ? `${because}: ${refusal.reason}` : because;
}

/** A replica is often called after its model. */
function describeLeaver({ replica, preset, cause, idleSince }: Leaver, telling: Telling): PlannedLeaver {
  const { nameOf, sight, now } = telling;
  const model = nameOf(preset);
  return {
    ...(model === undefined ? {} : { model }),
    ...(model === undefined && !sight.seesAll ? {} : { replica }),
    cause: cause.kind,
    ...(idleSince === undefined ? {} : { idle_seconds: Math.floor(since(idleSince, now) / 1000) }),
  };
}

/** Who it is about, each once. */
function holdersOf(reason: BlockedReason): readonly PresetUid[] {
  if ('leaving' in reason) return [...new Set(reason.leaving)];
  if ('holders' in reason) return [...new Set(reason.holders)];
  if ('presets' in reason) return [...new Set(reason.presets)];
  return 'beneficiary' in reason ? [reason.beneficiary] : [];
}

/** Of a preset that is declared and not run as it is: `reason` is one word of a closed list. */
export const notAcceptedPlan = (
  about: PlannedModel,
  { reason, message }: { readonly reason: string; readonly message: string },
): ModelPlan => ({
  ...about,
  outcome: 'refused',
  reason: 'NotAccepted',
  message: `it is not run as it is declared: ${reason}: ${message}`,
  holders: [],
  leaving: [],
});
