import { checkScenario } from './check-scenario.ts';
import type { LoadCounts } from './engine/fleet.ts';
import type { RequestCounts } from './engine/requests.ts';
import { Simulation } from './engine/simulation.ts';
import type { Outcome, PolicyName, Waits } from './outcome.ts';
import { policyNamed } from './policies/policy-named.ts';
import type { Scenario } from './scenario.ts';

const HOUR = 3_600_000;

/**
 * What becomes of a scenario's requests under a policy. Deterministic: the same scenario, the same outcome.
 * Throws RangeError for a scenario that is none, and says what is wrong with it.
 */
export function simulate(scenario: Scenario, policy: PolicyName): Outcome {
  checkScenario(scenario);
  const { loads, requests } = new Simulation(withEviction(scenario, policy), policyNamed(policy, scenario)).run();
  return outcomeOf(policy, scenario.trace.at.length, loads, requests);
}

/** Only Corral looks at how its pool evicts. */
const withEviction = (scenario: Scenario, policy: PolicyName): Scenario => ({
  ...scenario,
  pool: { ...scenario.pool, eviction: policy === 'corral-by-size' ? 'IdleBySize' : 'LRUByIdle' },
});

function outcomeOf(policy: PolicyName, requests: number, loads: LoadCounts, counts: RequestCounts): Outcome {
  const { coldStarts, reloads, heldFor } = loads;
  const { starved, cut, lastEnd } = counts;
  return {
    policy,
    requests,
    coldStarts,
    coldRequests: counts.held + starved,
    wait: waitsOf(counts.waits),
    starved,
    reloads,
    reloadsPerHour: lastEnd === 0 ? 0 : (reloads * HOUR) / lastEnd,
    gpuHours: heldFor / HOUR,
    cut,
  };
}

function waitsOf(waits: Float64Array): Waits | undefined {
  const sorted = waits.slice().sort();
  const max = sorted.at(-1);
  if (max === undefined) return undefined;
  return { p50: percentile(sorted, 50), p95: percentile(sorted, 95), p99: percentile(sorted, 99), max };
}

/** By nearest rank: the smallest value that is not below so many in a hundred. */
function percentile(sorted: Float64Array, percent: number): number {
  const value = sorted[Math.ceil((percent * sorted.length) / 100) - 1];
  if (value === undefined) throw new Error('there is no percentile of nothing');
  return value;
}
