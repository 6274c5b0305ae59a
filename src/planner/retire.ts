import type { Order } from '../domain/order.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { after, later, type Instant } from '../domain/units.ts';
import type { PlanInput } from './plan-input.ts';

/** What is known of a live replica's preset when its retirement is decided. */
interface Context {
  readonly preset: Preset | undefined;
  readonly pool: Pool | undefined;
  readonly order: Order | undefined;
}

/**
 * Why a live replica has to go whatever is wanted, `undefined` if it may stay. First match of:
 *
 * | preset gone | preset differs or moved | unload ordered | pool paused | cause   |
 * |-------------|-------------------------|----------------|-------------|---------|
 * | yes         |                         |                |             | removed |
 * | no          | yes                     |                |             | changed |
 * | no          | no                      | yes            |             | ordered |
 * | no          | no                      | no             | yes         | paused  |
 */
export function forcedRetirement(replica: Replica, context: Context): DrainCause | undefined {
  const { preset, pool, order } = context;
  if (preset === undefined) return { kind: 'removed' };
  if (preset.rendered !== replica.rendered || preset.pool !== replica.pool) return { kind: 'changed' };
  if (order?.kind === 'unload') return { kind: 'ordered' };
  if (pool?.paused === true) return { kind: 'paused' };
  return undefined;
}

/** Since when a ready replica has nothing to do; `undefined`: it is not ready, busy, or nobody knows. */
export function idleSince(replica: Replica, input: PlanInput): Instant | undefined {
  const activity = input.activity.get(replica.preset);
  if (replica.state.kind !== 'ready' || activity?.kind !== 'idle') return undefined;
  if (input.inFlight.get(replica.id) !== 0) return undefined;
  return later(activity.since, replica.state.since);
}

/** No requests, no order and no `minReplicas` speak for keeping it. */
export function isWantedByNobody(preset: Preset, input: PlanInput): boolean {
  return preset.scaling.minReplicas === 0 && !input.demand.has(preset.uid) && !input.orders.has(preset.uid);
}

/**
 * When a ready replica's idle timeout ends at the earliest; `undefined`: it has none.
 * A busy one gets the earliest end it could have, so that the end of a request needs no planning of its own.
 */
export function idleTimeoutEnd(replica: Replica, preset: Preset, input: PlanInput): Instant | undefined {
  const { idleTimeout, minReplicas } = preset.scaling;
  if (replica.state.kind !== 'ready' || idleTimeout === 0 || minReplicas > 0) return undefined;
  const idle = idleSince(replica, input);
  return after(idle === undefined ? input.now : idle, idleTimeout);
}
