import type { Acceptance } from '../api/cluster/accept.ts';
import type { PresetView } from '../control/preset-views.ts';
import { type Foresight, notAcceptedPlan, planFor } from '../control/describe-plan.ts';
import type { ModelName, PresetUid } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import type { Refusal } from '../routing/route.ts';
import { SEES_ALL } from '../routing/sight.ts';
import { refusalOf } from '../routing/standing.ts';

/** About which model is asked, when, and by what it is answered. */
export interface NameQuestion {
  readonly name: ModelName;
  readonly acceptance: Acceptance<unknown>;
  readonly control: Foresight;
  /** What the control loop has published. */
  readonly views: readonly PresetView[];
  readonly now: Instant;
}

/** What would become of a request for a name in a cluster. `undefined`: nobody has been granted it. */
export function planByName({ name, acceptance, control, views, now }: NameQuestion): ModelPlan | undefined {
  for (const { deployment, presets } of acceptance.verdicts) {
    const verdict = presets.find(({ granted }) => granted.includes(name));
    if (verdict === undefined) continue;
    const { uid, outcome } = verdict;
    if (outcome.kind === 'accepted') {
      return planFor(control, { uid, refusal: findRefusal(views, uid), sight: SEES_ALL, now });
    }
    return notAcceptedPlan({ model: name, pool: deployment.pool }, outcome.refusal);
  }
  return undefined;
}

/** What an edge would say at once. It matters only of a preset that nothing of is on its way. */
function findRefusal(views: readonly PresetView[], uid: PresetUid): Refusal | undefined {
  const view = views.find(({ preset }) => preset.uid === uid);
  return view === undefined ? undefined : refusalOf(view.preset, view.standing, false);
}
