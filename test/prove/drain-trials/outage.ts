import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom, type Random } from '../../../src/testing/hostile-bodies.ts';
import { withCleanup } from '../../support/cleanup-stack.ts';
import type { Series } from '../proof.ts';
import { ApiServerAway, GIVEN_UP, type Outage } from './api-server-away.ts';
import type { StageSize } from './drain-stage.ts';
import { declareInUse, drawInUse, IN_USE } from './in-use.ts';
import { drawAny, type Draw, type Load, type Whole } from './load.ts';
import { patienceFor } from './pace.ts';
import type { Play } from './play.ts';

/** Beside the models in use there are others, which take turns, and for which a request waits for less than the longest outages take. */
export const OUTAGE_SIZE: StageSize = { edges: 3, clients: 8, models: 9, room: 3, idleTimeout: '0s', maxWait: '60s' };
/** Of each edge's clients: those that stream from a model in use, and those that ask other models. The rest asks models in use. */
const STREAMERS = 2;
const OTHERS = 3;
/** Those rest for up to so long after each answer, in milliseconds. */
const REST_MS = 4_000;
/** An outage takes so long at least, and up to so many doublings of that: each length of time is as likely as its double. */
const SHORTEST_MS = 2_000;
const DOUBLINGS = 6;

/** A client that wants a stream has the head of its answer when the edge gives up waiting, and nothing of a model. */
const STREAM_GIVEN_UP = /cut: .* after: (?:: .*\n\n)+data: \{"error":.*"code":"model_wait_timeout"/u;

/** `runs`: outages. */
export const outage = (): Play => {
  let over = 0;
  return {
    what: 'three edges and two operators, whose API server is killed and started again',
    counts: 'requests',
    prepare: declareInUse,
    draw: ({ models, edges }) => drawFor(models, edges.size),
    // While there is no API server, or nobody yet who finds nodes for pods; and never of a model that is loaded.
    isExcused: (_, { what, model, began }) =>
      began < over && !IN_USE.includes(model) && (GIVEN_UP.test(what) || STREAM_GIVEN_UP.test(what)),
    play: async (stage, { runs, seed }, load) =>
      withCleanup(async (t) => {
        const away = new ApiServerAway(t, stage);
        const random = randomFrom(seed);
        const outages: Outage[] = [];
        await stage.evictions.until(1, patienceFor(1));
        for (const lasting of drawLengths(random, runs)) {
          over = Infinity;
          const told = await away.outlive(async () => {
            await delay(lasting);
          });
          over = performance.now();
          outages.push(told);
        }
        return tellOutages(outages, load);
      }),
  };
};

/** One of each part of the range, beginning with any. In milliseconds. */
function drawLengths(random: Random, runs: number): readonly number[] {
  const first = random(runs);
  return Array.from({ length: runs }, (_, turn) => {
    const share = (((turn + first) % runs) + random(1_000) / 1_000) / runs;
    return SHORTEST_MS * 2 ** (DOUBLINGS * share);
  });
}

/** What they were, and what became of requests meanwhile. */
export function tellOutages(outages: readonly Outage[], load: Load): readonly Series[] {
  const lengths = outages.map(({ gone, back }) => (back - gone) / 1000);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)].map((seconds) => seconds.toFixed(0));
  const during = outages.map((one) => load.countWholes((whole) => isServedMeanwhile(one, whole)));
  const after = outages.reduce((sum, one) => sum + load.countWholes((whole) => isHeldOver(one, whole)), 0);
  const failures = [
    ...outages.flatMap((one) => one.failures),
    ...during.filter((count) => count === 0).map(() => 'nothing was answered meanwhile'),
    ...(after === 0 ? ['nothing was held until its return'] : []),
  ];
  const served = `${during.reduce((sum, count) => sum + count, 0)} answers of models in use meanwhile`;
  return [
    {
      what: `the API server is away for ${String(shortest)} to ${String(longest)} s: ${served}; of requests for models that were not loaded ${after} were held and answered after its return, ${load.excused} told when their limit of waiting had run out`,
      ...{ runs: outages.length, failures, timed: 'from its being ready again to the next eviction' },
      timings: outages.map(({ back, evicted }) => evicted - back),
    },
  ];
}

const isServedMeanwhile = ({ gone, back }: Outage, { model, ended }: Whole): boolean =>
  IN_USE.includes(model) && ended > gone && ended < back;

const isHeldOver = ({ back }: Outage, { began, ended, held }: Whole): boolean =>
  held > 0 && began < back && ended > back;

/** The first clients of each edge stream from models in use, the next ones ask any other model, and all others models in use. */
function drawFor(models: readonly string[], edges: number): Draw {
  const others = drawAny(models);
  return (random, client, id) => {
    const number = Math.floor(client / edges);
    if (number < STREAMERS) return drawInUse(random, id, true);
    if (number < STREAMERS + OTHERS) return { ...others(random, client, id), rest: random(REST_MS) };
    return drawInUse(random, id, false);
  };
}
