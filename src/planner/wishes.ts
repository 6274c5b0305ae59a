import { alwaysWanted } from '../domain/always-wanted.ts';
import type { Preset } from '../domain/preset.ts';
import { after, type Instant } from '../domain/units.ts';
import type { BlockedReason } from './action.ts';
import type { Draft } from './draft.ts';
import { replicasOf, type Look } from './look.ts';
import { wantedSince } from './wanted.ts';

/** One replica that a preset wants and does not have. */
export interface Wish {
  readonly preset: Preset;
  readonly since: Instant;
  /** It has waited for its pool's `fairAfter`. */
  readonly isOverAge: boolean;
}

/** The higher priority first, then the older, then by name. */
export function byTurn(a: Wish, b: Wish): number {
  if (a.preset.priority !== b.preset.priority) return b.preset.priority - a.preset.priority;
  if (a.since !== b.since) return a.since - b.since;
  return a.preset.model < b.preset.model ? -1 : 1;
}

/** All wishes that may be granted, in their order. What may not be is blocked in the draft, with the reason. */
export function findWishes(look: Look, draft: Draft): Wish[] {
  const wishes: Wish[] = [];
  const refused: { readonly preset: Preset; readonly reason: BlockedReason }[] = [];
  for (const preset of mayBeWanted(look)) {
    const found = wishesOf(preset, look, draft);
    const [first] = found;
    const reason = first === undefined ? undefined : refusal(first, look, draft);
    if (reason === undefined) wishes.push(...found);
    else refused.push({ preset, reason });
  }
  refused.sort((a, b) => (a.preset.model < b.preset.model ? -1 : 1));
  draft.blocked.push(...refused.map(({ preset, reason }) => ({ preset: preset.uid, reason, position: undefined })));
  return wishes.sort(byTurn);
}

/** Of thousands few: what nobody asks for, nor has ordered, is not looked at. */
function mayBeWanted({ input, presets }: Look): ReadonlySet<Preset> {
  const uids = [...input.demand.keys(), ...input.orders.keys()];
  const asked = uids.map((uid) => presets.get(uid)).filter((preset) => preset !== undefined);
  return new Set([...alwaysWanted(input.presets), ...asked]);
}

/** One for each replica that is missing; also if it is missing only by what requests ask for that may not load it. */
function wishesOf(preset: Preset, look: Look, draft: Draft): Wish[] {
  const { demand, now } = look.input;
  const { minReplicas } = preset.scaling;
  const asking = demand.get(preset.uid);
  const staying = countStaying(preset, look, draft);
  const since = wantedSince(preset, staying, look) ?? asking?.since;
  const missing = Math.max(staying === 0 && since !== undefined ? 1 : 0, minReplicas - staying);
  if (missing === 0) return [];
  const from = since === undefined ? now : since;
  return Array.from({ length: missing }, () => ({ preset, since: from, isOverAge: isOverAge(preset, from, look) }));
}

function countStaying(preset: Preset, look: Look, draft: Draft): number {
  return replicasOf(look, preset.uid).filter((one) => one.serves === preset.serves && draft.isStaying(one)).length;
}

/** Why a wanted preset takes no part in its pool's queue. */
function refusal({ preset }: Wish, look: Look, draft: Draft): BlockedReason | undefined {
  const { uid, pool: name } = preset;
  const pool = look.pools.get(name);
  if (pool === undefined) return { kind: 'PoolNotFound', pool: name };
  if (pool.paused) return { kind: 'PoolPaused', pool: name };
  if (wantedSince(preset, countStaying(preset, look, draft), look) === undefined) return { kind: 'AutoloadOff' };
  const backOff = look.input.backOffs.get(uid);
  if (backOff !== undefined && backOff.until > look.input.now) {
    draft.wake(backOff.until);
    return { kind: 'BackOff', until: backOff.until };
  }
  // Until everything is gone that the order means, a new one would be meant as well.
  if (look.input.orders.get(uid)?.kind === 'unload') return { kind: 'WaitingForDrain', leaving: [uid] };
  return undefined;
}

function isOverAge({ pool: name }: Preset, since: Instant, look: Look): boolean {
  const pool = look.pools.get(name);
  return pool !== undefined && pool.fairAfter > 0 && after(since, pool.fairAfter) <= look.input.now;
}
