import { memoize } from './memoize.ts';
import type { Preset } from './preset.ts';

/** Presets of which some replica is wanted all the time. Made once for each list, as it is asked for with every plan. */
export const alwaysWanted: (presets: readonly Preset[]) => readonly Preset[] = memoize((presets: readonly Preset[]) =>
  presets.filter(({ scaling }) => scaling.minReplicas > 0),
);
