import { eachBirth } from '../births.ts';
import type { Birth } from '../births.ts';
import { HEARD_WITHIN } from '../history.ts';
import type { Amounts, DeploymentFacts, History, PodFacts, PoolFacts, Violation } from '../history.ts';
import { believable } from '../world.ts';

const RULE = 'S1 capacity is never exceeded';

/**
 * Judged at each pod that we create: a user may well lower a pool, or raise a footprint, below what is loaded already.
 */
export const capacityIsKept = (history: History): readonly Violation[] => eachBirth(history, judge);

function judge(birth: Birth): readonly Violation[] {
  const { pod, world, at, version } = birth;
  const moment = { at, within: HEARD_WITHIN };
  const pools = believable(world.pools.values(), world.pastPools, moment).filter(({ name }) => name === pod.pool);
  if (pools.length === 0)
    return [{ rule: RULE, what: `${pod.name} was created in ${pod.pool}, which is no pool`, version }];
  const deployments = believable(world.deployments.values(), world.pastDeployments, moment);
  const holding = [...world.pods.values()]
    .map(({ object }) => object)
    .filter((one) => one.owner !== undefined && one.pool === pod.pool && !one.hasEnded);
  const excesses = pools.map((pool) => findExcess(pool, holding, pod, deployments));
  const [first] = excesses;
  if (first === undefined || excesses.includes(undefined)) return [];
  return [{ rule: RULE, what: `${pod.name} was created in ${pod.pool}: ${first}`, version }];
}

/** What a pool is too small for; `undefined`: for nothing. */
function findExcess(
  pool: PoolFacts,
  holding: readonly PodFacts[],
  { bin }: PodFacts,
  deployments: readonly DeploymentFacts[],
): string | undefined {
  const names = holding.map(({ name }) => name).join(', ');
  if (pool.maxLoaded > 0 && holding.length > pool.maxLoaded) return `it holds ${names}, which are more than ${pool.maxLoaded}`; // prettier-ignore
  const inBin = holding.filter((pod) => bin === undefined || pod.bin === undefined || pod.bin === bin);
  for (const [resource, most] of pool.resources) {
    const taken = inBin.reduce((sum, pod) => sum + takes(pod, resource, deployments), 0);
    if (taken > most) return `${names} take ${taken} of ${most} ${resource}`;
  }
  return undefined;
}

/** What was written into the pod, or less where its preset declares less by now. */
function takes({ owner, preset, footprint }: PodFacts, resource: string, all: readonly DeploymentFacts[]): number {
  const written = amountOf(footprint, resource);
  const declared = all
    .filter(({ uid }) => uid === owner)
    .flatMap(({ presets }) => presets.filter(({ name }) => name === preset))
    .flatMap((one) => (one.footprint.has(resource) ? [amountOf(one.footprint, resource)] : []));
  return Math.min(written, ...declared);
}

/** What is not named is not taken. */
function amountOf(amounts: Amounts, resource: string): number {
  const amount = amounts.get(resource);
  return amount === undefined ? 0 : amount;
}
