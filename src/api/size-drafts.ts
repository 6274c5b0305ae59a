import { NO_RESOURCES } from '../domain/resources.ts';
import type { DecodedPool } from './decode-manifests.ts';
import type { SizedDraft } from './find-overcommitted.ts';
import { judgeFootprint } from './footprint.ts';
import { findPriorityFault } from './judge-priority.ts';
import type { PresetDraft } from './preset-draft.ts';
import type { Problem } from './problem.ts';

/** A pool, and what it says of priorities. The pool of the program's flags has no place. */
export type LimitedPool = Pick<DecodedPool, 'pool' | 'maxPriority'> & Partial<Pick<DecodedPool, 'site'>>;

/** Presets as their pools take them, and why they do not take the others. */
export interface SizedDrafts {
  readonly sized: readonly SizedDraft[];
  readonly problems: readonly Problem[];
}

function judgePriority({ priority }: PresetDraft, { pool, maxPriority, site }: LimitedPool): Problem[] {
  const fault = findPriorityFault(priority.value, { name: pool.name, maxPriority });
  if (fault === undefined) return [];
  const fix = 'Lower it, or raise spec.maxPriority of a ModelPool of that name.';
  // What the pool of a cluster allows is unknown here, unless its manifest is.
  const condition = site === undefined ? {} : { condition: 'PriorityNotAllowed' };
  return [{ ...priority.site, reason: fault, fix, ...condition }];
}

function sizeDraft(draft: PresetDraft, limits: LimitedPool): SizedDrafts {
  const priority = judgePriority(draft, limits);
  const verdict = judgeFootprint(draft.room.value, limits.pool);
  if (verdict.kind === 'footprint') return { sized: [{ draft, footprint: verdict.footprint }], problems: priority };
  const { reason: condition, message: reason } = verdict;
  return { sized: [], problems: [...priority, { ...draft.room.site, reason, condition }] };
}

/** Judges each preset as a cluster does. One whose pool is missing takes nothing: it is never started, and says why. */
export function sizeDrafts(drafts: readonly PresetDraft[], pools: readonly LimitedPool[]): SizedDrafts {
  const judged = drafts.map((draft) => {
    const limits = pools.find(({ pool }) => pool.name === draft.pool);
    return limits === undefined
      ? { sized: [{ draft, footprint: NO_RESOURCES }], problems: [] }
      : sizeDraft(draft, limits);
  });
  return { sized: judged.flatMap(({ sized }) => sized), problems: judged.flatMap(({ problems }) => problems) };
}
