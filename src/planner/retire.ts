import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import { after, later, type Instant } from '../domain/units.ts';
import type { Draft } from './draft.ts';
import { isCurrent } from '../domain/is-current.ts';
import { replicasOf, type Look } from './look.ts';
import type { PlanInput } from './plan-input.ts';
import { findSurplus, replicasFor } from './scale.ts';
import { askedSince, isWantedByNobody } from './wanted.ts';

/**
 * Why a live replica has to go whatever is wanted, `undefined` if it may stay, for now or for good. First match of:
 *
 * | preset gone | answers as another model | runs another spec or pool | unload ordered | pool paused | cause   |
 * |-------------|--------------------------|---------------------------|----------------|-------------|---------|
 * | yes         |                          |                           |                |             | removed |
 * | no          | yes                      |                           |                |             | changed |
 * | no          | no                       | yes, and not worth to stay|                |             | changed |
 * | no          | no                       |                           | yes            |             | ordered |
 * | no          | no                       |                           | no             | yes         | paused  |
 */
export function forcedRetirement(replica: Replica, preset: Preset | undefined, look: Look): DrainCause | undefined {
  if (preset === undefined) return { kind: 'removed' };
  if (replica.serves !== preset.serves) return { kind: 'changed' };
  if (!isCurrent(replica, preset) && !isWorthStaying(replica, preset, look)) return { kind: 'changed' };
  if (look.input.orders.get(preset.uid)?.kind === 'unload') return { kind: 'ordered' };
  if (look.pools.get(replica.pool)?.paused === true) return { kind: 'paused' };
  return undefined;
}

/** Of those of an older spec as many stay as are still needed: all, until one of the new spec is ready. */
function isWorthStaying(replica: Replica, preset: Preset, look: Look): boolean {
  if (replica.state.kind !== 'ready' || !look.pools.has(preset.pool) || !isInUse(preset, look)) return false;
  const ready = replicasOf(look, preset.uid).filter(
    (one) => one.state.kind === 'ready' && one.serves === preset.serves,
  );
  const older = ready.filter((one) => !isCurrent(one, preset));
  const current = ready.length - older.length;
  if (current === 0) return true;
  const activity = look.input.activity.get(preset.uid);
  const inFlight = activity?.kind === 'busy' ? activity.inFlight : 0;
  const stillNeeded = Math.max(0, Math.max(1, replicasFor(inFlight, preset)) - current);
  return older.slice(0, stillNeeded).includes(replica);
}

/** Also where nobody knows. One that only an order loads would not come back by itself. */
function isInUse(preset: Preset, look: Look): boolean {
  const { autoload, minReplicas } = preset.scaling;
  if (!autoload || minReplicas > 0 || askedSince(preset, look) !== undefined) return true;
  return look.input.activity.get(preset.uid)?.kind !== 'idle';
}

/** Since when a ready replica has nothing to do; `undefined`: it is not ready, its preset is busy, or nobody knows. */
export function idleSince(replica: Replica, input: PlanInput): Instant | undefined {
  const activity = input.activity.get(replica.preset);
  if (replica.state.kind !== 'ready' || activity?.kind !== 'idle') return undefined;
  if (input.inFlight.get(replica.id) !== 0) return undefined;
  return later(activity.since, replica.state.since);
}

/** Drains what has to go, what has been idle for its timeout, and what is more than its preset needs. */
export function retire(look: Look, draft: Draft): void {
  for (const replica of look.replicas) {
    if (!isLive(replica)) continue;
    const cause = forcedRetirement(replica, look.presets.get(replica.preset), look);
    if (cause !== undefined) draft.drains.set(replica.id, cause);
  }
  for (const [uid, replicas] of look.byPreset) {
    const preset = look.presets.get(uid);
    if (preset === undefined) continue;
    const ready = replicas.filter((one) => one.state.kind === 'ready' && draft.isStaying(one));
    retireIdle(ready, preset, look, draft);
    retireSurplus(ready, preset, look, draft);
  }
}

/** A busy one is looked at again at the earliest end it could have, so that the end of a request needs no planning of its own. */
function retireIdle(ready: readonly Replica[], preset: Preset, look: Look, draft: Draft): void {
  const { idleTimeout, minReplicas } = preset.scaling;
  if (idleTimeout === 0 || ready.length <= minReplicas) return;
  let spare = ready.length - minReplicas;
  for (const replica of ready) {
    const since = idleSince(replica, look.input);
    const end = after(since === undefined ? look.input.now : since, idleTimeout);
    draft.wake(end);
    if (end > look.input.now || spare === 0 || !isWantedByNobody(preset, look)) continue;
    draft.drains.set(replica.id, { kind: 'idle' });
    spare -= 1;
  }
}

function retireSurplus(ready: readonly Replica[], preset: Preset, look: Look, draft: Draft): void {
  // One at a time: what leaves may not have shown yet what it leaves the others to do.
  if (replicasOf(look, preset.uid).some((one) => holdsCapacity(one) && !draft.isStaying(one))) return;
  const staying = ready.filter((replica) => draft.isStaying(replica));
  const surplus = findSurplus(staying, preset, look.input, draft);
  if (surplus !== undefined) draft.drains.set(surplus.id, { kind: 'surplus' });
}
