import { setTimeout as delay } from 'node:timers/promises';
import type { Series } from '../proof.ts';
import type { DrainStage, StageSize } from './drain-stage.ts';
import { drawAny, type Draw } from './load.ts';
import { podOf } from './model-pods.ts';
import { BETWEEN, patienceFor } from './pace.ts';
import type { Play } from './play.ts';

/** Few requests, since it is about time: one model is always loaded, and the others take turns. */
export const LONG_CUT_SIZE: StageSize = {
  ...{ edges: 3, clients: 4, models: 13, room: 6, idleTimeout: '0s' },
  ...{ kept: 1, maxWait: '40s' },
};
const LASTING_MS = 600_000;
/** Clients of the edge that is cut off which ask the model that stays: while one stream ends, another is under way. */
const KEEPERS = 2;
const KEPT_TOKENS = 200;
const KEPT_PAUSE_MS = 100;
/** What may become of a request to an edge that is cut off from the API server for longer than requests wait. */
const CUT_OFF = /50[23] .*"code":"(?:upstream_failed|model_wait_timeout)"/u;
/** A client that wants a stream has the head of its answer when the edge gives up waiting, and nothing of a model. */
const GIVEN_UP = /cut: .* after: (?:: .*\n\n)+data: \{"error":.*"code":"(?:upstream_failed|model_wait_timeout)"/u;
/** All others rest up to so long after each answer, in milliseconds. */
const REST_MS = 10_000;

/** `lasting`: in milliseconds. The edge in the first place serves what it knows, and its word is done without. */
export const longCut = (lasting = LASTING_MS): Play => {
  let isCut = false;
  return {
    what: `three edges, of which one is cut off from the API server for ${lasting / 1000} s`,
    counts: 'evictions',
    draw: ({ models, edges }) => drawSlowly(models, edges.size),
    isExcused: ({ edges, models }, { url, what }) =>
      isCut &&
      url === edges.at(0).url &&
      (CUT_OFF.test(what) || GIVEN_UP.test(what)) &&
      !what.includes(` ${keptOf(models)}: `),
    play: async (stage, _, load) => {
      const { evictions, edges, relay } = stage;
      await evictions.until(1, patienceFor(1));
      const pod = podOfKept(stage);
      const [before, wholes, excused] = [evictions.count, load.wholesOf(edges.at(0).url), load.excused];
      isCut = true;
      // First nothing comes through, then every connection is refused.
      relay.cut('stalled');
      await delay(lasting / 2);
      relay.cut('closed');
      await delay(lasting / 2);
      const meanwhile = evictions.count - before;
      const told = { wholes: load.wholesOf(edges.at(0).url) - wholes, excused: load.excused - excused };
      relay.mend();
      isCut = false;
      const mended = performance.now();
      const next = (await evictions.until(evictions.count + 1, patienceFor(1))) - mended;
      await evictions.until(evictions.count + BETWEEN, patienceFor(BETWEEN));
      const failures = [
        ...(meanwhile === 0 ? ['nothing was evicted meanwhile'] : []),
        ...(podOfKept(stage) === pod ? [] : ['the model that was in use there all the time has another pod']),
      ];
      return [tell(lasting, { meanwhile, ...told }, failures, next)];
    },
  };
};

const tell = (
  lasting: number,
  { meanwhile, wholes, excused }: { readonly meanwhile: number; readonly wholes: number; readonly excused: number },
  failures: readonly string[],
  next: number,
): Series => ({
  what: `the edge is cut off for ${lasting / 1000} s: ${meanwhile} evictions meanwhile, ${wholes} of its requests answered whole, ${excused} told that their model is not there; the model with its streams keeps its pod`,
  ...{ runs: 1, failures, timed: 'from its way being mended to the next eviction', timings: [next] },
});

function keptOf([kept]: readonly string[]): string {
  if (kept === undefined) throw new Error('there are no models');
  return kept;
}

/** The uid of its pod. Throws if it has none. */
function podOfKept({ pods, models }: DrainStage): string {
  const pod = podOf(pods, keptOf(models));
  if (pod === undefined) throw new Error('the model that stays has no pod');
  return pod.metadata.uid;
}

/** The first clients of the edge in the first place stream from the model that stays, all others ask any other model. */
function drawSlowly(models: readonly string[], edges: number): Draw {
  const kept = keptOf(models);
  const others = drawAny(models.slice(1));
  return (random, client, id) => {
    if (client % edges === 0 && client < KEEPERS * edges)
      return { question: { id, model: kept, stream: true, tokens: KEPT_TOKENS - random(50), pause: KEPT_PAUSE_MS }, rest: 0 }; // prettier-ignore
    return { ...others(random, client, id), rest: random(REST_MS) };
  };
}
