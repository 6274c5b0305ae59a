import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import type { Series } from '../proof.ts';
import type { DrainStage } from './drain-stage.ts';
import { BETWEEN, patienceFor, SHORT_MS } from './pace.ts';
import type { Play } from './play.ts';
import { CUTS } from './relay.ts';

/** Of so many times an edge is away, one is for longer than it takes until a silent edge may be given up. */
const LONG_ONE_OF = 4;
const LONG_MS = 15_000;

export const stopped: Play = {
  what: 'three edges, of which one is stopped (SIGSTOP) for up to 15 s again and again',
  counts: 'evictions',
  play: async (stage, { runs, seed }) =>
    disturb(stage, { runs, seed, what: 'from waking the edge up to the next eviction' }, (random) => {
      const { edges } = stage;
      const process = edges.processOf(edges.at(random(edges.size)));
      process.kill('SIGSTOP');
      return () => {
        process.kill('SIGCONT');
      };
    }),
};

/** For shorter than a request waits that nobody can be found for: so none of its requests may fail either. */
export const cutOff: Play = {
  what: 'three edges, of which one is cut off from the API server for up to 15 s again and again',
  counts: 'evictions',
  play: async (stage, { runs, seed }) =>
    disturb(stage, { runs, seed, what: 'from its way being mended to the next eviction' }, (random) => {
      const how = CUTS[random(CUTS.length)];
      stage.relay.cut(how === 'closed' ? 'closed' : 'stalled');
      return () => {
        stage.relay.mend();
      };
    }),
};

/** Takes an edge away for a while, again and again, until there were enough evictions. `begin` returns what ends it. */
async function disturb(
  { evictions }: DrainStage,
  { runs, seed, what }: { readonly runs: number; readonly seed: number; readonly what: string },
  begin: (random: (limit: number) => number) => () => void,
): Promise<readonly Series[]> {
  const random = randomFrom(seed);
  const timings: number[] = [];
  let meanwhile = 0;
  await evictions.until(1, patienceFor(1));
  while (evictions.count < runs) {
    const before = evictions.count;
    const end = begin(random);
    await delay(timings.length % LONG_ONE_OF === LONG_ONE_OF - 1 ? LONG_MS : random(SHORT_MS));
    meanwhile += evictions.count - before;
    end();
    const since = performance.now();
    timings.push((await evictions.until(evictions.count + 1, patienceFor(1))) - since);
    await evictions.until(evictions.count + BETWEEN, patienceFor(BETWEEN));
  }
  return [{ what: `the edge is away; ${meanwhile} evictions meanwhile`, runs: timings.length, failures: [], timed: what, timings }]; // prettier-ignore
}
