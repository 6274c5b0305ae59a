import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import type { Action } from './action.ts';
import type { PlanInput } from './plan-input.ts';
import { forcedRetirement } from './retire.ts';

/** Drains that are taken back, and the world as it is then. */
export interface Reclaimed {
  readonly cancels: readonly Action[];
  /** What was taken back counts as starting: it is there, and nobody's victim in the same plan. */
  readonly input: PlanInput;
}

/** Demand takes back the drain of a replica that only had nothing to do; it has not been stopped, so it can serve again. */
export function reclaim(input: PlanInput): Reclaimed {
  const presets = new Map(input.presets.map((preset) => [preset.uid, preset]));
  const taken = new Set(
    input.replicas
      .filter((replica) => mayComeBack(replica, presets.get(replica.preset), input))
      .map((replica) => replica.id),
  );
  const replicas = input.replicas.map((replica): Replica =>
    taken.has(replica.id) ? { ...replica, state: { kind: 'starting', since: input.now } } : replica,
  );
  return { cancels: [...taken].sort().map((replica) => ({ kind: 'cancel', replica })), input: { ...input, replicas } };
}

function mayComeBack(replica: Replica, preset: Preset | undefined, input: PlanInput): boolean {
  if (replica.state.kind !== 'draining' || replica.state.cause.kind !== 'idle') return false;
  const pool = input.pools.find(({ name }) => name === replica.pool);
  const order = input.orders.get(replica.preset);
  if (pool === undefined || forcedRetirement(replica, { preset, pool, order }) !== undefined) return false;
  return input.demand.has(replica.preset) || order?.kind === 'load';
}
