import type { PresetUid } from './ids.ts';
import { memoize } from './memoize.ts';
import type { Preset } from './preset.ts';

/** Presets by their uids. Made once for each list, which is asked for with every plan: what is declared is never changed in place. */
export const presetsByUid: (presets: readonly Preset[]) => ReadonlyMap<PresetUid, Preset> = memoize(
  (presets: readonly Preset[]) => new Map(presets.map((preset) => [preset.uid, preset])),
);
