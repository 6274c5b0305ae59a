import { withCleanup } from '../../support/cleanup-stack.ts';
import type { Extent, Series } from '../proof.ts';
import { setDrainStage, type StageSize } from './drain-stage.ts';
import { tryLate } from './late-edge.ts';
import { tryClocks } from './wrong-clocks.ts';

const SIZE: StageSize = { edges: 1, clients: 0, models: 6, room: 3, idleTimeout: '0s' };

/** Edges that hear late of what others delete, and edges whose clocks are wrong. */
export const proveAstray = async ({ runs }: Extent): Promise<readonly Series[]> =>
  withCleanup(async (outer) => {
    const stage = await setDrainStage(outer, SIZE);
    return withCleanup(async (t) => {
      const series = [await tryClocks(t, stage, runs), ...(await tryLate(t, stage, runs))];
      const stubs = { what: 'what the pods saw', runs: 1, failures: stage.stubs.faults, timed: '', timings: [] };
      return [...series, stubs, await stage.judge()];
    });
  });
