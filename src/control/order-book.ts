import type { PresetUid } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive, type Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';

/**
 * The orders that still hold: not those whose preset is gone, not a load that has been fulfilled, not an unload that has
 * nothing left to unload. A preset that must always be loaded orders itself when it is not.
 */
export function settleOrders(
  orders: ReadonlyMap<PresetUid, Order>,
  presets: readonly Preset[],
  replicas: readonly Replica[],
  now: Instant,
): Map<PresetUid, Order> {
  return new Map(
    presets.flatMap((preset): [PresetUid, Order][] => {
      const own = replicas.filter((replica) => replica.preset === preset.uid);
      const order = orders.get(preset.uid);
      if (order !== undefined && !isFulfilled(order, own)) return [[preset.uid, order]];
      return mustLoad(preset, own) ? [[preset.uid, { kind: 'load', since: now }]] : [];
    }),
  );
}

function isFulfilled(order: Order, own: readonly Replica[]): boolean {
  switch (order.kind) {
    case 'load':
      return own.some((replica) => replica.state.kind === 'ready');
    case 'unload':
      return own.every((replica) => replica.state.kind === 'failed');
  }
}

const mustLoad = (preset: Preset, own: readonly Replica[]): boolean =>
  preset.scaling.minReplicas > 0 && !own.some(isLive);
