import type { Cleanup } from '../../support/temp-folder.ts';
import { shiftedClock } from '../operator-trials/bent-process.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import type { DrainStage } from './drain-stage.ts';
import type { Edge } from './edge-fleet.ts';
import { modelOf } from './model-pods.ts';
import { Questions } from './questions.ts';
import { reportedOf, type Told } from './reported.ts';

const HOUR_MS = 3_600_000;
/** Of a request that makes its model the last one in use: a second, which is longer than a report is on its way. */
const LONG = 20;

/** What the operator logs of an edge of which it sees no sign of life. */
const SILENT = 'edges are silent: looking at the slots of a replica that drains';

/**
 * Edges of which the wall clock of one is an hour ahead and that of another one an hour behind. All models that are loaded are used one after
 * the other, the first through the clock that is ahead; then as many others are asked for, and each time the one that was used
 * longest ago has to leave. There have to be twice as many models as may be loaded.
 */
export async function tryClocks(t: Cleanup, stage: DrainStage, rounds: number): Promise<Series> {
  const { cluster, edges, models } = stage;
  const bent = async (by: number): Promise<Edge> => edges.make(cluster.server, ['--import', shiftedClock(by)]);
  const doors = [await bent(HOUR_MS), edges.at(0), await bent(-HOUR_MS)];
  const questions = new Questions(t, 'clocks');
  const half = models.length / 2;
  const [first, second] = [models.slice(0, half), models.slice(half)];
  for (const model of first) await questions.ask(edges.at(0).url, model);
  const tried = await tryEach(Array.from({ length: rounds }), async (_, round) => {
    const [there, others] = round % 2 === 0 ? [first, second] : [second, first];
    const began = performance.now();
    for (const [at, model] of there.entries()) await use(stage, questions, doorOf(doors, at), model);
    for (const [at, model] of others.entries()) {
      await questions.ask(doorOf(doors, round + at).url, model);
      await untilLoaded(stage, model, [...there.slice(at + 1), ...others.slice(0, at + 1)]);
    }
    return performance.now() - began;
  });
  const what = `${half} models leave one after the other for others, the one used longest ago first, with edges whose clocks are an hour ahead, right, and an hour behind`;
  const silent = stage.operators.leader.operator.log.all({ msg: SILENT }).map(() => 'an edge was taken for silent');
  return { what, runs: rounds, ...tried, failures: [...tried.failures, ...silent], timed: 'each time' };
}

function doorOf(doors: readonly Edge[], at: number): Edge {
  const door = doors[at % doors.length];
  if (door === undefined) throw new Error('there is no edge');
  return door;
}

/** Resolves when the edge has told that the use is over. */
async function use({ reports }: DrainStage, questions: Questions, edge: Edge, model: string): Promise<void> {
  const told = (): Told | undefined => reportedOf(reports, edge, model);
  const before = told()?.finishedTotal ?? 0;
  await questions.ask(edge.url, model, LONG);
  await reports.until(`the report of the use of ${model}`, () => {
    const now = told();
    return now?.inFlight === 0 && now.finishedTotal > before ? true : undefined;
  });
}

/** Resolves when a model is there and nothing leaves. Throws if others are loaded than there should be. */
async function untilLoaded({ pods }: DrainStage, model: string, expected: readonly string[]): Promise<void> {
  const loaded = (): readonly string[] => pods.objects.flatMap(({ metadata }) => modelOf(metadata) ?? []);
  await pods.until(`a pod of ${model}`, () =>
    loaded().includes(model) && loaded().length <= expected.length ? true : undefined,
  );
  const there = loaded().toSorted().join(' ');
  const wanted = expected.toSorted().join(' ');
  if (there !== wanted) throw new Error(`after ${model} had come, there were ${there} instead of ${wanted}`);
}
