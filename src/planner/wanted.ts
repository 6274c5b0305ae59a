import type { PresetUid } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive } from '../domain/replica.ts';
import { earliest, type Instant } from '../domain/units.ts';
import type { PlanInput } from './plan-input.ts';

/** A preset without a live replica that somebody waits for or has ordered, and since when. */
export interface Wanted {
  readonly preset: Preset;
  readonly since: Instant;
}

/** The oldest wish first; names break ties. */
export const byAge = (a: Wanted, b: Wanted): number => {
  if (a.since !== b.since) return a.since - b.since;
  return a.preset.model < b.preset.model ? -1 : 1;
};

/** All wishes that no live replica fulfils. */
export function wantedPresets(input: PlanInput): Wanted[] {
  const served = new Set(input.replicas.filter(isLive).map((replica) => replica.preset));
  return input.presets.flatMap((preset) => {
    const since = wantedSince(preset.uid, input);
    return since === undefined || served.has(preset.uid) ? [] : [{ preset, since }];
  });
}

function wantedSince(uid: PresetUid, input: PlanInput): Instant | undefined {
  const order = input.orders.get(uid);
  const demand = input.demand.get(uid);
  return earliest([...(order?.kind === 'load' ? [order.since] : []), ...(demand === undefined ? [] : [demand.since])]);
}
