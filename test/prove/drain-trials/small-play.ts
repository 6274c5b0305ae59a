import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import type { DrainStage } from './drain-stage.ts';
import { withCleanup } from '../../support/cleanup-stack.ts';
import { ApiServerAway } from './api-server-away.ts';
import { untilClosed } from './gates.ts';
import { declareInUse, drawInUse } from './in-use.ts';
import { killLeaderAt, STEPS } from './leader-steps.ts';
import { drawAny } from './load.ts';
import { tellOutages } from './outage.ts';
import type { Play } from './play.ts';

/** For so long anything may take that is waited for, in milliseconds. */
const PATIENCE_MS = 60_000;
const BETWEEN = 4;

/**
 * A bit of all of them: an edge is stopped while a gate closes, another one is cut off, the leader is killed at one step, and there is no
 * API server until who leads has ended for that. All requests for models wait for as long as that takes.
 */
export const small: Play = {
  what: 'three edges, of which one is stopped and one cut off, a leader that is killed, and an API server that goes away',
  counts: 'evictions',
  prepare: declareInUse,
  draw: ({ models, edges }) => {
    const any = drawAny(models);
    // One client of each edge.
    return (random, client, id) => (client < edges.size ? drawInUse(random, id, false) : any(random, client, id));
  },
  play: async (stage, { runs, seed }, load) => {
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
    const told = await withCleanup(async (t) => {
      const { operator } = operators.leader;
      return new ApiServerAway(t, stage).outlive(async () => operator.exited, BETWEEN);
    });
    await evictions.until(runs, PATIENCE_MS);
    return tellOutages([told], load);
  },
};

const goOn = async ({ evictions }: DrainStage): Promise<number> =>
  evictions.until(evictions.count + BETWEEN, PATIENCE_MS);
