import type { PresetUid } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import { alwaysWanted } from '../domain/always-wanted.ts';
import type { Preset } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import { causeOf, isLive, type Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';

/**
 * The orders that still hold: not those whose preset is gone, not a load that has been fulfilled, not an unload that has
 * nothing left to unload. A preset orders itself when fewer of its replicas are live than always have to be, and when one
 * that requests do not load leaves only to be replaced: an edit is no order to unload.
 */
export function settleOrders(
  orders: ReadonlyMap<PresetUid, Order>,
  presets: readonly Preset[],
  replicas: readonly Replica[],
  now: Instant,
): Map<PresetUid, Order> {
  const byPreset = Map.groupBy(replicas, ({ preset }) => preset);
  const declared = presetsByUid(presets);
  // Of thousands of presets few have an order, or could get one.
  const uids = new Set([...orders.keys(), ...byPreset.keys(), ...alwaysWanted(presets).map(({ uid }) => uid)]);
  const settled = new Map<PresetUid, Order>();
  for (const uid of uids) {
    const preset = declared.get(uid);
    if (preset === undefined) continue;
    const found = byPreset.get(preset.uid);
    const own = found === undefined ? [] : found;
    const order = orders.get(preset.uid);
    const next = order !== undefined && !isFulfilled(order, preset, own) ? order : makeOrder(preset, own, now);
    if (next !== undefined) settled.set(preset.uid, next);
  }
  return settled;
}

/** Also one that stands for what does not hold any more. */
function isFulfilled({ kind, madeFor }: Order, { serves, scaling }: Preset, own: readonly Replica[]): boolean {
  switch (kind) {
    case 'load': {
      if (madeFor === 'autoloadOff' && scaling.autoload) return true;
      const ready = own.filter((replica) => replica.state.kind === 'ready' && replica.serves === serves);
      const needed = madeFor === 'minReplicas' ? scaling.minReplicas : Math.max(1, scaling.minReplicas);
      return ready.length >= needed;
    }
    case 'unload':
      return own.every((replica) => replica.state.kind === 'failed');
  }
}

function makeOrder({ serves, scaling }: Preset, own: readonly Replica[], since: Instant): Order | undefined {
  const live = own.filter((replica) => isLive(replica) && replica.serves === serves).length;
  if (live < scaling.minReplicas) return { kind: 'load', since, madeFor: 'minReplicas' };
  return live === 0 && !scaling.autoload && own.some(isBeingReplaced)
    ? { kind: 'load', since, madeFor: 'autoloadOff' }
    : undefined;
}

const isBeingReplaced = (replica: Replica): boolean => causeOf(replica)?.kind === 'changed';
