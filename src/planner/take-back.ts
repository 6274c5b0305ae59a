import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { after, type Duration } from '../domain/units.ts';
import type { Draft } from './draft.ts';
import { isCurrent } from '../domain/is-current.ts';
import { replicasOf, type Look } from './look.ts';
import { forcedRetirement } from './retire.ts';
import { countServing, wantedSince } from './wanted.ts';

/** Demand takes a drain back whose reason has passed: what has not been stopped can serve again. */
export function takeBack(look: Look, draft: Draft): void {
  for (const uid of look.byPreset.keys()) {
    const preset = look.presets.get(uid);
    if (preset === undefined) continue;
    const serving = countServing(preset, look);
    if (wantedSince(preset, serving, look) === undefined) continue;
    const missing = Math.max(1, preset.scaling.minReplicas) - serving;
    const able = replicasOf(look, uid).filter((replica) => mayReturn(replica, preset, look));
    for (const replica of able.slice(0, Math.max(0, missing))) draft.returning.add(replica.id);
  }
}

function mayReturn(replica: Replica, preset: Preset, look: Look): boolean {
  if (replica.state.kind !== 'draining' || !isCurrent(replica, preset)) return false;
  const pool = look.pools.get(replica.pool);
  if (pool === undefined || forcedRetirement(replica, preset, look) !== undefined) return false;
  return hasPassed(replica.state.cause, pool.fairAfter, look);
}

/** Nobody decided these against others, so that nobody is worse off if they are taken back once nothing forces them. */
const HARMLESS: ReadonlySet<DrainCause['kind']> = new Set(['idle', 'surplus', 'ordered', 'paused', 'changed']);

/** Whether a drain for this cause may be taken back, given that nothing forces the replica to go now. */
function hasPassed(cause: DrainCause, fairAfter: Duration, look: Look): boolean {
  if (cause.kind !== 'evicted') return HARMLESS.has(cause.kind);
  const beneficiary = look.presets.get(cause.beneficiary);
  if (beneficiary === undefined) return true;
  const since = wantedSince(beneficiary, countServing(beneficiary, look), look);
  return since === undefined || fairAfter === 0 || after(since, fairAfter) > look.input.now;
}
