import { spreadOf } from '../../support/figures.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import { loadModels } from './loaded-models.ts';
import { OperatorKeeper } from './operator-keeper.ts';
import { countConflicts, Rivals } from './rivals.ts';
import type { Stage } from './stage.ts';

const RIVALS = 3;

/** Two models take turns in one place, while others write to their ModelDeployment and their pods all the time. */
export async function tryContention(t: Cleanup, stage: Stage, runs: number): Promise<Series> {
  const keeper = await OperatorKeeper.start(t, stage);
  const { trial, requests } = await loadModels(t, stage, { id: 'contention', busy: ['a'], unloaded: ['b'] });
  for (const request of requests) request.end();
  const conflicts = countConflicts(keeper.proxy);
  const rivals = new Rivals(stage, trial, RIVALS);
  const turns = Array.from({ length: runs }, (_, index) => (index % 2 === 0 ? 'b' : 'a'));
  const began = performance.now();
  const tried = await tryEach(turns, async (name) => {
    const asked = performance.now();
    await trial.load(name);
    return performance.now() - asked;
  }).finally(async () => rivals.end());
  const pace = (1000 * rivals.writes) / (performance.now() - began);
  // Each turn takes a closing and a deletion.
  const isTooFew = conflicts.length < 2 * runs;
  const failures = [
    ...tried.failures,
    ...keeper.takeFaults(),
    ...(isTooFew ? ['it has written less than it had to'] : []),
  ];
  const what = `two models take turns in one place while ${RIVALS} others write to their ModelDeployment and their pods, ${pace.toFixed(0)} times a second in all: what the operator writes to a pod ${describe(conflicts)}`;
  return { what, runs, ...tried, failures, timed: 'from the request to the other model being loaded' };
}

function describe(conflicts: readonly number[]): string {
  if (conflicts.length === 0) return 'was never carried out';
  const { median, max } = spreadOf(conflicts);
  return `has met with ${median} conflicts in the median, ${max} at most`;
}
