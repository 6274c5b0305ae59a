import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import { BETWEEN, patienceFor, SHORT_MS } from './pace.ts';
import type { Play } from './play.ts';

/** `runs`: kills. Its own connections break, and until it is there again nobody asks it. */
export const edgeKilled = (): Play => {
  let killed: string | undefined;
  return {
    what: 'three edges, of which one is killed (SIGKILL) and started again in its pod',
    counts: 'evictions',
    isExcused: (_, { url, what }) => url === killed && what.includes(': cut: '),
    play: async (stage, { runs, seed }) => {
      const { edges, evictions } = stage;
      const random = randomFrom(seed);
      const timings: number[] = [];
      for (let turn = 0; turn < runs; turn += 1) {
        const edge = edges.at(random(edges.size));
        killed = edge.url;
        const process = edges.processOf(edge);
        process.kill('SIGKILL');
        await process.exited;
        await delay(random(SHORT_MS));
        await edges.restart(edge);
        const since = performance.now();
        killed = undefined;
        timings.push((await evictions.until(evictions.count + 1, patienceFor(1))) - since);
        await evictions.until(evictions.count + BETWEEN, patienceFor(BETWEEN));
      }
      const what = 'an edge is killed';
      return [{ what, runs, failures: [], timed: 'from its being there again to the next eviction', timings }];
    },
  };
};
