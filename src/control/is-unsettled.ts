import type { ActivitySource } from '../activity/ledger.ts';
import { isCurrent } from '../domain/is-current.ts';
import type { Preset } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import { isLive, type Replica } from '../domain/replica.ts';
import type { Blocked } from '../planner/action.ts';

/** What is looked at. */
export interface Scene {
  readonly presets: readonly Preset[];
  readonly replicas: readonly Replica[];
  readonly activity: Pick<ActivitySource, 'activity'>;
}

/**
 * Whether the end of a request, or news of what was unknown, could change the plan: somebody waits, something drains or has
 * to be replaced, or a replica is there of which nobody knows whether it is in use. What else depends on idleness is looked
 * at again in time (`Plan.wakeAt`), so that most requests cost no planning.
 */
export function isUnsettled({ presets, replicas, activity }: Scene, blocked: readonly Blocked[]): boolean {
  if (blocked.length > 0 || replicas.some(({ state }) => state.kind === 'draining')) return true;
  const declared = presetsByUid(presets);
  return replicas.filter(isLive).some((replica) => {
    const preset = declared.get(replica.preset);
    if (preset === undefined || !isCurrent(replica, preset)) return true;
    return activity.activity(replica.preset).kind === 'unknown';
  });
}
