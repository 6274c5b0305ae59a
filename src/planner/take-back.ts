import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { after, type Duration } from '../domain/units.ts';
import type { Draft } from './draft.ts';
import { isCurrent } from '../domain/is-current.ts';
import { replicasOf, type Look } from './look.ts';
import { forcedRetirement } from './retire.ts';
import { countServing, wantedSince } from './wanted.ts';

/** Demand takes a drain back whose reason has passed, and so does use one for idleness: what has not been stopped can serve again. */
export function takeBack(look: Look, draft: Draft): void {
  for (const uid of look.byPreset.keys()) {
    const preset = look.presets.get(uid);
    if (preset === undefined) continue;
    const serving = countServing(preset, look);
    const isWanted = wantedSince(preset, serving, look) !== undefined;
    const able = replicasOf(look, uid).filter(
      (replica) => mayReturn(replica, preset, look) && (isWanted || isUsedAgain(replica, preset, look)),
    );
    const missing = fewest(preset) - serving;
    for (const replica of able.slice(0, Math.max(0, missing))) draft.returning.add(replica.id);
  }
}

const fewest = ({ scaling }: Preset): number => Math.max(1, scaling.minReplicas);

/** It was to leave for having nothing to do, requests have come since that was decided, and nobody waits for its room. */
function isUsedAgain({ state }: Replica, preset: Preset, look: Look): boolean {
  if (state.kind !== 'draining' || state.cause.kind !== 'idle') return false;
  const { activity, lastUses } = look.input;
  const last = lastUses.get(preset.uid);
  const isUsed = activity.get(preset.uid)?.kind === 'busy' || (last !== undefined && last > state.since);
  return (
    isUsed && !look.input.presets.some((other) => other !== preset && other.pool === preset.pool && lacks(other, look))
  );
}

/** It is wanted, and has fewer replicas that serve it than it should. */
function lacks(preset: Preset, look: Look): boolean {
  const serving = countServing(preset, look);
  return serving < fewest(preset) && wantedSince(preset, serving, look) !== undefined;
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
