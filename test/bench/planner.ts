import type { PlanInput } from '../../src/planner/plan-input.ts';
import { plan } from '../../src/planner/plan.ts';
import { describeMachine, renderTable, spreadOf } from '../support/figures.ts';
import { busyWorld, type WorldSize } from './planner-world.ts';

/** What the planner is to decide in 5 ms, in the median, on one core. */
const GOAL: WorldSize = { presets: 1_000, replicas: 500, pools: 20 };
const WARM_UPS = 50;

/** The goal's world, and each of its sizes doubled twice, and all of them. */
const SIZES: readonly WorldSize[] = [
  GOAL,
  { ...GOAL, presets: 2_000 },
  { ...GOAL, presets: 4_000 },
  { ...GOAL, presets: 2_000, replicas: 1_000 },
  { ...GOAL, presets: 4_000, replicas: 2_000 },
  { ...GOAL, pools: 40 },
  { ...GOAL, pools: 80 },
  { presets: 2_000, replicas: 1_000, pools: 40 },
  { presets: 4_000, replicas: 2_000, pools: 80 },
];

/** Prints how long one plan takes: the sizes take turns, so that what disturbs the machine disturbs all alike. */
export function benchPlanner(rounds: number, print: (text: string) => void): void {
  print(`${describeMachine()}\n${rounds} rounds each, after ${WARM_UPS} to warm up; ms for one plan\n\n`);
  const worlds = SIZES.map((size) => ({ size, input: busyWorld(size), times: new Array<number>() }));
  for (let round = 0; round < WARM_UPS; round += 1) for (const { input } of worlds) timeOf(input);
  for (let round = 0; round < rounds; round += 1) for (const { input, times } of worlds) times.push(timeOf(input));
  const goal = worlds.slice(0, 1).map(({ times }) => spreadOf(times).median);
  const rows = worlds.map(({ size, input, times }) => {
    const { min, median, max } = spreadOf(times);
    const { actions, blocked } = plan(input);
    const cells = [size.replicas, size.pools, actions.length, blocked.length].map(String);
    const growth = goal.map((first) => `${(median / first).toFixed(1)}x`);
    return [String(size.presets), ...cells, ...[min, median, max].map((ms) => ms.toFixed(2)), ...growth];
  });
  print(
    renderTable(['presets', 'replicas', 'pools', 'actions', 'blocked', 'min', 'median', 'max', 'median grows'], rows),
  );
}

/** In milliseconds. */
function timeOf(input: PlanInput): number {
  const started = performance.now();
  plan(input);
  return performance.now() - started;
}
