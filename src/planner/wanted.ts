import type { Preset } from '../domain/preset.ts';
import { earliest, type Instant } from '../domain/units.ts';
import { isServing, replicasOf, type Look } from './look.ts';

/** Since when somebody asks for a preset, whether or not it is served: by a request that may load it, or by an order. */
export function askedSince({ uid, scaling }: Preset, { input: { orders, demand } }: Look): Instant | undefined {
  const order = orders.get(uid);
  const asked = scaling.autoload ? demand.get(uid) : undefined;
  return earliest([...(order?.kind === 'load' ? [order.since] : []), ...(asked === undefined ? [] : [asked.since])]);
}

/** Since when a preset is wanted: asked for, or missing replicas of its `minReplicas`, which are wanted since now. */
export function wantedSince(preset: Preset, serving: number, look: Look): Instant | undefined {
  const since = askedSince(preset, look);
  return since === undefined && serving < preset.scaling.minReplicas ? look.input.now : since;
}

/** Live replicas that answer as the model of now. */
export function countServing(preset: Preset, look: Look): number {
  let count = 0;
  for (const replica of replicasOf(look, preset.uid)) if (isServing(replica, preset)) count += 1;
  return count;
}

/** No request, order or too few replicas speak for keeping it. */
export function isWantedByNobody({ uid }: Preset, look: Look): boolean {
  return !look.input.demand.has(uid) && !look.input.orders.has(uid);
}
