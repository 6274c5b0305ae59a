import { withCleanup } from '../../support/cleanup-stack.ts';
import type { Extent, Series } from '../proof.ts';
import { setDrainStage, type DrainStage, type StageSize } from './drain-stage.ts';
import { drawAny, Load, type Draw, type Fault } from './load.ts';

/** A play, while clients ask: it counts what it tells, and resolves when there was enough. */
export interface Play {
  readonly what: string;
  /** What its runs are. */
  readonly counts: 'evictions' | 'requests';
  /** What may happen to requests of an edge at the moment. */
  readonly isExcused?: (stage: DrainStage, fault: Fault) => boolean;
  /** Done before clients ask. */
  readonly prepare?: (stage: DrainStage) => Promise<void>;
  /** What clients ask; without it any model, all the time. */
  readonly draw?: (stage: DrainStage) => Draw;
  /** Rejects if what it waits for does not come. Resolves with what else was counted. */
  readonly play: (stage: DrainStage, extent: Extent, load: Load) => Promise<readonly Series[]>;
}

/** As the proof has it: each model is asked for all the time, and most of them are not loaded. */
export const PROOF_SIZE: StageSize = { edges: 3, clients: 12, models: 36, room: 12, idleTimeout: '0s' };

/** Plays it in a cluster of its own. */
export const playOnStage = async (play: Play, extent: Extent, size = PROOF_SIZE): Promise<readonly Series[]> =>
  withCleanup(async (outer) => {
    const stage = await setDrainStage(outer, size);
    await play.prepare?.(stage);
    return withCleanup(async (t) => {
      const doors = Array.from(
        { length: size.edges * size.clients },
        (_, client) => () => stage.edges.doorOf(client % size.edges),
      );
      const isExcused = (fault: Fault): boolean => play.isExcused?.(stage, fault) === true;
      const draw = play.draw === undefined ? drawAny(stage.models) : play.draw(stage);
      const load = new Load(t, { draw, doors, seed: extent.seed, isExcused });
      const more = await playThrough(play, stage, extent, load);
      const drains = [...stage.evictions.drains];
      await load.stop();
      return [tell(play, stage, load, drains), held(load), ...more, await stage.judge()];
    });
  });

/** What is missing at its end is a failure like any other. */
async function playThrough(
  { what, play }: Play,
  stage: DrainStage,
  extent: Extent,
  load: Load,
): Promise<readonly Series[]> {
  try {
    return await play(stage, extent, load);
  } catch (error) {
    const failures = [error instanceof Error ? error.message : String(error)];
    return [{ what: `${what}: broken off`, runs: 1, failures, timed: '', timings: [] }];
  }
}

function tell({ what, counts }: Play, stage: DrainStage, load: Load, drains: readonly number[]): Series {
  const { streams, answers, excused } = load;
  const { unused } = stage.stubs;
  const more = [
    ...(excused === 0 ? [] : [`${excused} requests that failed as they may`]),
    ...(unused === 0 ? [] : [`${unused} loads for nobody`]),
  ];
  const asked = `${streams} streams and ${answers} other answers, all whole, each generated once${more.map((text) => `; ${text}`).join('')}`;
  const failures = failuresOf(stage, load);
  return counts === 'evictions'
    ? { what: `${what}: evictions, under ${asked}`, runs: drains.length, failures, timed: 'from the closed gate to the end of the pod', timings: drains } // prettier-ignore
    : { what: `${what}: ${asked}`, runs: load.wholes, failures, timed: 'an answer that is no stream', timings: load.timings }; // prettier-ignore
}

function failuresOf({ stubs }: DrainStage, { faults, excused, wholes }: Load): readonly string[] {
  const lost = stubs.generations - wholes - faults.length - excused;
  return [
    ...faults.map((fault) => `${fault.url}: ${fault.what}`),
    ...stubs.faults,
    ...(lost > 0 ? [`${lost} generations for nobody`] : []),
  ];
}

const held = ({ waits }: Load): Series => ({
  what: 'requests that were held until their model was loaded',
  runs: waits.length,
  failures: [],
  timed: 'held',
  timings: waits,
});
