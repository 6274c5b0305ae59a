import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import type { DrainStage } from './drain-stage.ts';
import { untilClosed } from './gates.ts';
import { killLeaderAt, STEPS } from './leader-steps.ts';
import type { Play } from './play.ts';

/** For so long anything may take that is waited for, in milliseconds. */
const PATIENCE_MS = 60_000;
const BETWEEN = 4;

/** A bit of all of them: an edge is stopped while a gate closes, another one is cut off, and the leader is killed at one step. */
export const small: Play = {
  what: 'three edges, of which one is stopped and one cut off, and a leader that is killed',
  counts: 'evictions',
  play: async (stage, { runs, seed }) => {
    const { edges, relay, operators, evictions } = stage;
    const random = randomFrom(seed);
    await goOn(stage);
    const process = edges.processOf(edges.at(1 + random(edges.size - 1)));
    process.kill('SIGSTOP');
    await untilClosed(stage);
    process.kill('SIGCONT');
    await goOn(stage);
    relay.cut(random(2) === 0 ? 'closed' : 'stalled');
    await untilClosed(stage);
    relay.mend();
    await goOn(stage);
    for (const step of STEPS.slice(seed % STEPS.length, (seed % STEPS.length) + 1)) await killLeaderAt(stage, step);
    await operators.handOver('given back');
    await goOn(stage);
    await evictions.until(runs, PATIENCE_MS);
    return [];
  },
};

const goOn = async ({ evictions }: DrainStage): Promise<number> =>
  evictions.until(evictions.count + BETWEEN, PATIENCE_MS);
