import type { DeploymentVerdict } from '../api/cluster/accept.ts';
import type { PresetUid } from '../domain/ids.ts';
import { memoize } from '../domain/memoize.ts';
import { seconds, type Duration } from '../domain/units.ts';
import { statusOf } from './status-of.ts';

/**
 * How long the last load of each preset took, as the statuses say: whoever has seen the pod become ready has written it. Made once for each acceptance, and
 * only when there is a pod whose load this operator has not seen.
 */
export const lastLoads = memoize(
  (verdicts: readonly DeploymentVerdict<unknown>[]): ReadonlyMap<PresetUid, Duration> =>
    new Map(
      verdicts.flatMap((verdict) =>
        verdict.presets.flatMap((preset): [PresetUid, Duration][] => {
          const took = statusOf(preset, verdict)?.loadSeconds;
          return took === undefined ? [] : [[preset.uid, seconds(took)]];
        }),
      ),
    ),
);
