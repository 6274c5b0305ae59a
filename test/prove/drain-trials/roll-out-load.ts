import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom, type Random } from '../../../src/testing/hostile-bodies.ts';
import type { DrainStage, StageSize } from './drain-stage.ts';
import { oneOf, type Draw, type Load } from './load.ts';
import type { Play } from './play.ts';
import { LATEST_MS, replaceEdge } from './roll-out.ts';

/** All models are loaded all the time, so that there is an answer to each request whatever becomes of the edges. */
export const ROLL_OUT_SIZE: StageSize = { edges: 3, clients: 10, models: 4, room: 4, kept: 4, idleTimeout: '0s' };
/** Clients of each edge that stream for a minute: longer than an edge is left alone. */
const STREAMERS = 2;
const MINUTE = { tokens: 120, pause: 500 };
/** All others rest for up to so long after each answer, in milliseconds. */
const REST_MS = 100;
/** For up to so long an edge is left alone before it is replaced, in milliseconds. */
const ALONE_MS = 15_000;

/** `runs`: requests. Edges are replaced in each place all the time, also while older ones still end their streams. */
export const rollOutUnderLoad: Play = {
  what: 'three edges, each replaced again and again',
  counts: 'requests',
  draw:
    ({ models, edges }): Draw =>
    (random, client, id) =>
      client < STREAMERS * edges.size
        ? { question: { id, model: oneOf(models, random), stream: true, ...MINUTE }, rest: 0 }
        : { question: { id, model: oneOf(models, random), stream: false, tokens: 1, pause: 1 }, rest: random(REST_MS) },
  play: async (stage, { runs, seed }, load) => {
    const places = Array.from({ length: stage.edges.size }, (_, place) => place);
    const told = await Promise.all(
      places.map(async (place) => replaceUntil(stage, place, randomFrom(seed + place), () => isThrough(load, runs))),
    );
    const timings = told.flatMap((one) => one.timings);
    const failures = told.flatMap((one) => one.failures);
    const timed = 'from the start of the new one until clients use it';
    return [{ what: 'an edge is replaced', runs: timings.length, failures, timed, timings }];
  },
};

/** A request that has failed for good is as good as many: it is not waited for more. */
const isThrough = (load: Load, runs: number): boolean => load.wholes >= runs || load.faults.length > 0;

/** Resolves when those that were replaced are gone. */
async function replaceUntil(
  stage: DrainStage,
  place: number,
  random: Random,
  isOver: () => boolean,
): Promise<{ readonly timings: readonly number[]; readonly failures: readonly string[] }> {
  const timings: number[] = [];
  const ends: Promise<readonly string[]>[] = [];
  while (!isOver()) {
    await delay(random(ALONE_MS));
    const began = performance.now();
    const { ended } = await replaceEdge(stage, place, random(LATEST_MS));
    timings.push(performance.now() - began);
    ends.push(ended);
  }
  return { timings, failures: (await Promise.all(ends)).flat() };
}
