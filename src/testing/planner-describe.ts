import type { Activity } from '../domain/activity.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica, ReplicaState } from '../domain/replica.ts';
import type { Resources } from '../domain/resources.ts';
import type { PlanInput } from '../planner/plan-input.ts';

/** A world in one line for each thing in it, for the message of a test that fails. */
export const describeWorld = (input: PlanInput): string =>
  [
    `now ${input.now}`,
    ...input.pools.map(describePool),
    ...input.presets.map((preset) => describePreset(preset, input)),
    ...input.replicas.map((replica) => describeReplica(replica, input)),
    ...input.learnedLimits.map(describeLimit),
    '',
  ].join('\n  ');

const amounts = (resources: Resources): string =>
  `{${[...resources].map(([name, amount]) => `${name}: ${amount}`).join(', ')}}`;

function describePool({ name, maxLoaded, bins, eviction, paused, minResidency, fairAfter }: Pool): string {
  const sizes = bins.map((bin) => `${bin.name}${bin.size === undefined ? '(?)' : amounts(bin.size)}`).join(' ');
  const state = `${eviction === 'LRUByIdle' ? '' : `, ${eviction}`}${paused ? ', paused' : ''}`;
  return `pool ${name}: ${sizes}, maxLoaded ${maxLoaded}, minResidency ${minResidency}, fairAfter ${fairAfter}${state}`;
}

function describePreset({ uid, pool, footprint, priority, scaling }: Preset, input: PlanInput): string {
  const { minReplicas, maxReplicas, targetInFlight, idleTimeout, autoload } = scaling;
  const order = input.orders.get(uid);
  return [
    `preset ${uid}: ${pool} ${amounts(footprint)}, priority ${priority}, ${minReplicas}-${maxReplicas} of ${targetInFlight}`,
    `idleTimeout ${idleTimeout}`,
    ...(autoload ? [] : ['autoload off']),
    describeActivity(input.activity.get(uid)),
    ...told('last used at', input.lastUses.get(uid)),
    ...told('waited for since', input.demand.get(uid)?.since),
    ...(order === undefined ? [] : [`${order.kind} ordered at ${order.since}`]),
    ...told('backs off until', input.backOffs.get(uid)?.until),
    ...told('peak', input.peaks.get(uid)?.inFlight),
    ...told('since', input.peaks.get(uid)?.since),
    ...told('reserved', input.reservations.get(uid)),
  ].join(', ');
}

const told = (what: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`${what} ${value}`];

function describeActivity(activity: Activity | undefined): string {
  switch (activity?.kind) {
    case undefined:
      return 'activity missing';
    case 'unknown':
      return 'activity unknown';
    case 'idle':
      return `idle since ${activity.since}`;
    case 'busy':
      return `busy with ${activity.inFlight}`;
  }
}

function describeReplica(replica: Replica, { inFlight, presets }: PlanInput): string {
  const { id, pool, bin, footprint, state, rendered, serves, preset: uid } = replica;
  const preset = presets.find((one) => one.uid === uid);
  const place = `${pool}/${bin === undefined ? 'unknown bin' : bin}`;
  const here = inFlight.get(id);
  const older = [
    ...(preset === undefined ? ['undeclared'] : []),
    ...(preset !== undefined && preset.rendered !== rendered ? ['older'] : []),
    ...(preset !== undefined && preset.serves !== serves ? ['of another model'] : []),
  ];
  const requests = here === undefined ? 'requests unknown' : `${here} in flight`;
  return [`replica ${id}: ${place} ${amounts(footprint)}`, describeState(state), requests, ...older].join(', ');
}

function describeState(state: ReplicaState): string {
  switch (state.kind) {
    case 'failed':
      return 'failed';
    case 'starting':
      return `starting since ${state.since}`;
    case 'ready':
      return `ready since ${state.since} after ${state.loadTime ?? 'nobody knows what'}`;
    case 'draining':
    case 'stopping': {
      const whom = 'beneficiary' in state.cause ? ` for ${state.cause.beneficiary}` : '';
      return `${state.kind} since ${state.since} (${state.cause.kind}${whom})`;
    }
  }
}

const describeLimit = (limit: LearnedLimit): string =>
  `limit ${limit.pool}/${limit.bin}: ${limit.preset} ${amounts(limit.footprint)} of ${amounts(limit.total)}, ` +
  `${limit.replicas} replicas, until ${limit.until}${limit.spent ? ', spent' : ''}`;
