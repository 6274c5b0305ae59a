import type { PresetUid } from '../domain/ids.ts';
import { amountOf, type Resources } from '../domain/resources.ts';
import { after, milliseconds, since, type Instant } from '../domain/units.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica, ReplicaState } from '../domain/replica.ts';
import type { Draft } from './draft.ts';
import { isCurrent } from '../domain/is-current.ts';
import { takenBy, replicasOf, type Look } from './look.ts';
import { idleSince } from './retire.ts';
import { byInFlight } from './scale.ts';
import { isWantedByNobody } from './wanted.ts';

/** A ready replica, as one that may have to leave. */
export interface Candidate {
  readonly replica: Replica;
  readonly preset: Preset;
  readonly state: ReplicaState & { readonly kind: 'ready' };
  /** `protected`: below its preset's minReplicas, in the pool of its preset. */
  readonly kind: 'surplus' | 'idle' | 'busy' | 'unknown' | 'protected';
  /** Its preset's; in a pool that its preset has left, lower than all. */
  readonly priority: number;
  /** The smaller, the earlier it leaves, by its pool's policy, of those of its kind and priority. */
  readonly rank: number;
  /** The end of its preset's last request, if it is idle: of those of one rank who was used earlier leaves earlier. */
  readonly usedAt: Instant;
  /** From when on it may leave as a victim, if it is idle. */
  readonly mayLeaveFrom: Instant;
  /** From when on it may leave for fairness. */
  readonly mustLeaveFrom: Instant;
}

/** It has nothing to do, and may leave once it is old enough. */
export const isIdle = ({ kind }: Candidate): boolean => kind === 'surplus' || kind === 'idle';

/** Ties are broken by name, then by id, so that the same look gives the same victim. */
const byName = (a: Candidate, b: Candidate): number => {
  if (a.preset.model !== b.preset.model) return a.preset.model < b.preset.model ? -1 : 1;
  return a.replica.id < b.replica.id ? -1 : 1;
};

/** Surplus ones first, then the lower priority, then as the pool's policy has it. */
export function byIdleness(a: Candidate, b: Candidate): number {
  if (a.kind !== b.kind) return a.kind === 'surplus' ? -1 : b.kind === 'surplus' ? 1 : byRest(a, b);
  return byRest(a, b);
}

function byRest(a: Candidate, b: Candidate): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.usedAt !== b.usedAt) return a.usedAt - b.usedAt;
  return byName(a, b);
}

/** Who has served longest first. */
export const byService = (a: Candidate, b: Candidate): number =>
  a.state.since === b.state.since ? byName(a, b) : a.state.since - b.state.since;

/** Idle ones in their order, then the others, whose order does not change with the time. */
export function byIdlenessOrService(a: Candidate, b: Candidate): number {
  if (isIdle(a) !== isIdle(b)) return isIdle(a) ? -1 : 1;
  return isIdle(a) ? byIdleness(a, b) : byService(a, b);
}

/** The ready replicas of a pool that stay as far as the draft goes. */
export function findCandidates(replicas: readonly Replica[], pool: Pool, look: Look, draft: Draft): Candidate[] {
  return replicas.flatMap((replica) => {
    const preset = look.presets.get(replica.preset);
    const { state } = replica;
    if (preset === undefined || state.kind !== 'ready' || !draft.isStaying(replica)) return [];
    const idle = idleSince(replica, look.input);
    const owed = owesTurns(preset.uid, state.since, look) ? pool.fairAfter : milliseconds(0);
    // Whoever waits does not pay for it that nobody knows how long a load took.
    const residency = milliseconds(Math.max(pool.minResidency, state.loadTime ?? 0, owed));
    return [
      {
        replica,
        preset,
        state,
        kind: kindOf(replica, preset, look, draft),
        priority: isAtHome(replica, preset) ? preset.priority : -Infinity,
        usedAt: idle === undefined ? look.input.now : usedAt(preset, look),
        rank: rankOf(replica, idle === undefined ? look.input.now : idle, pool, look),
        mayLeaveFrom: after(state.since, pool.minResidency),
        mustLeaveFrom: after(state.since, residency),
      },
    ];
  });
}

/** It lies in its preset's pool. What stays in one that its preset has left takes room that was promised to others. */
const isAtHome = ({ pool }: Replica, preset: Preset): boolean => pool === preset.pool;

/** Somebody has waited for it since before it was ready: an edge that has not heard of it yet. One that is silent may not protect it for ever. */
function owesTurns(preset: PresetUid, ready: Instant, { input }: Look): boolean {
  const asking = input.demand.get(preset);
  return asking !== undefined && asking.since < ready;
}

/**
 * May be before the replica was seen to be ready: whoever has just begun to decide has seen that of all of them in one moment, and
 * this still tells them apart.
 */
function usedAt({ uid }: Preset, { input }: Look): Instant {
  const activity = input.activity.get(uid);
  return activity?.kind === 'idle' ? activity.since : input.now;
}

/** What has been idle since `idle` takes its turn by that alone, or with its share of its bin. */
function rankOf(replica: Replica, idle: Instant, { eviction, bins }: Pool, look: Look): number {
  if (eviction === 'LRUByIdle') return idle;
  const size = bins.find(({ name }) => name === replica.bin)?.size;
  const share = size === undefined ? 1 : shareOf(takenBy(replica, look), size);
  return 0 - since(idle, look.input.now) * share ** 2;
}

/** How much of a bin it takes, of the resource of which it takes the most, from 0 to 1. */
function shareOf(footprint: Resources, size: Resources): number {
  const shares = [...size].map(([name, all]) => (all === 0 ? 0 : amountOf(footprint, name) / all));
  return Math.max(0, ...shares);
}

/**
 * First match of:
 *
 * | known | below minReplicas | in its preset's pool | beyond max(1, minReplicas), nothing in flight | idle | wanted | kind      |
 * |-------|-------------------|----------------------|-----------------------------------------------|------|--------|-----------|
 * | no    |                   |                      |                                               |      |        | unknown   |
 * | yes   | yes               | yes                  |                                               |      |        | protected |
 * | yes   | yes               | no                   |                                               |      |        | busy      |
 * | yes   | no                |                      | yes                                           |      | no     | surplus   |
 * | yes   | no                |                      | no                                            | yes  | no     | idle      |
 * | yes   | no                |                      |                                               |      |        | busy      |
 *
 * Of a preset's ready replicas those with the least in flight are beyond; ties by id.
 */
function kindOf(replica: Replica, preset: Preset, look: Look, draft: Draft): Candidate['kind'] {
  const { activity, inFlight } = look.input;
  const here = inFlight.get(replica.id);
  const known = activity.get(preset.uid);
  if (here === undefined || known === undefined || known.kind === 'unknown') return 'unknown';
  const { minReplicas } = preset.scaling;
  const ready = replicasOf(look, preset.uid).filter((one) => one.state.kind === 'ready' && draft.isStaying(one));
  const needed = isAtHome(replica, preset) ? 'protected' : 'busy';
  const peers = peersOf(replica, preset, ready);
  // One of an older spec that stays is still needed, until the new ones are enough.
  if (peers === undefined) return ready.length > minReplicas ? 'busy' : needed;
  const place = peers.toSorted(byInFlight(look.input)).indexOf(replica);
  if (place >= peers.length - minReplicas) return needed;
  if (!isWantedByNobody(preset, look)) return 'busy';
  if (here === 0 && place < peers.length - Math.max(1, minReplicas)) return 'surplus';
  return idleSince(replica, look.input) === undefined ? 'busy' : 'idle';
}

/** Those of the current spec, or all where there are none; `undefined`: it is not one of them. */
function peersOf(replica: Replica, preset: Preset, ready: readonly Replica[]): readonly Replica[] | undefined {
  const current = ready.filter((one) => isCurrent(one, preset));
  if (current.length === 0) return ready;
  return current.includes(replica) ? current : undefined;
}
