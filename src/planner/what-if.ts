import type { BinName, PresetUid, ReplicaId } from '../domain/ids.ts';
import { isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import type { Blocked } from './action.ts';
import { plan } from './plan.ts';
import type { Plan, PlanInput } from './plan-input.ts';
import { idleSince } from './retire.ts';

/** One that would leave. */
export interface Leaver {
  readonly replica: ReplicaId;
  readonly preset: PresetUid;
  readonly cause: DrainCause;
  /** Since when it has nothing to do; `undefined`: it is in use, or nobody knows. */
  readonly idleSince: Instant | undefined;
}

/** What would become of a request for a preset, if it came now. */
export type WhatIf =
  /** It is ready, or already on its way. */
  | { readonly kind: 'served'; readonly ready: boolean }
  /** Its drain would be taken back. */
  | { readonly kind: 'returns' }
  | { readonly kind: 'starts'; readonly bin: BinName }
  /** It would wait: for those that leave for its sake, and for what else `blocked` says. */
  | { readonly kind: 'waits'; readonly blocked: Blocked; readonly leaving: readonly Leaver[] };

/**
 * What the planner would do if somebody asked for a preset now, by the very functions that do it. Changes nothing.
 * `undefined`: there is no such preset.
 */
export function whatIf(input: PlanInput, uid: PresetUid): WhatIf | undefined {
  const preset = input.presets.find((one) => one.uid === uid);
  if (preset === undefined) return undefined;
  const own = input.replicas.filter((one) => one.preset === uid && one.serves === preset.serves && isLive(one));
  if (own.length > 0) return { kind: 'served', ready: own.some(({ state }) => state.kind === 'ready') };
  const asked = input.demand.has(uid)
    ? input
    : { ...input, demand: new Map([...input.demand, [uid, { waiting: 1, since: input.now }]]) };
  return outcomeOf(plan(asked), asked, uid);
}

function outcomeOf({ actions, blocked }: Plan, input: PlanInput, uid: PresetUid): WhatIf {
  for (const action of actions) {
    if (action.kind === 'start' && action.preset.uid === uid) return { kind: 'starts', bin: action.bin };
    if (action.kind === 'cancel' && find(input, action.replica).preset === uid) return { kind: 'returns' };
  }
  const own = blocked.find(({ preset }) => preset === uid);
  if (own === undefined) throw new Error(`the planner says nothing about the wanted preset ${uid}`);
  const leaving = actions.flatMap((action) => {
    if (action.kind !== 'drain' || !isFor(action.cause, uid)) return [];
    const replica = find(input, action.replica);
    return [{ replica: replica.id, preset: replica.preset, cause: action.cause, idleSince: idleSince(replica, input) }];
  });
  return { kind: 'waits', blocked: own, leaving };
}

const isFor = (cause: DrainCause, uid: PresetUid): boolean => 'beneficiary' in cause && cause.beneficiary === uid;

function find(input: PlanInput, id: ReplicaId): Replica {
  const replica = input.replicas.find((one) => one.id === id);
  if (replica === undefined) throw new Error(`the planner has decided about ${id}, which does not exist`);
  return replica;
}
