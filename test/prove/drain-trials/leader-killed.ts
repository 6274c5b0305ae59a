import fc from 'fast-check';
import { nextWrite } from '../operator-trials/operator-pair.ts';
import { killLeaderAt, STEPS } from './leader-steps.ts';
import { BETWEEN, patienceFor } from './pace.ts';
import type { Play } from './play.ts';

/** `runs`: kills. */
export const leaderKilled: Play = {
  what: 'three edges, while the operator that leads is killed at each step of an eviction',
  counts: 'evictions',
  play: async (stage, { runs, seed }) => {
    const order = fc.sample(fc.shuffledSubarray([...STEPS], { minLength: STEPS.length }), {
      seed,
      numRuns: Math.ceil(runs / STEPS.length),
    });
    const steps = order.flat().slice(0, runs);
    const takings = new Map(STEPS.map(({ what }) => [what, [] as number[]]));
    for (const [turn, step] of steps.entries()) {
      // Each fourth one has to run out.
      const lease = turn % 4 === 3 ? 'left alone' : 'given back';
      await killLeaderAt(stage, step);
      const killed = performance.now();
      const { standby } = stage.operators;
      const [written] = await Promise.all([nextWrite(standby), stage.operators.handOver(lease)]);
      takings.get(step.what)?.push(written - killed);
      await stage.evictions.until(stage.evictions.count + BETWEEN, patienceFor(BETWEEN));
    }
    return [...takings].map(([what, timings]) => ({
      what: `the leader is killed ${what}`,
      ...{ runs: timings.length, failures: [], timed: 'from the kill to the first write of the next one', timings },
    }));
  },
};
