import type { Series } from '../proof.ts';
import { withCleanup } from '../../support/cleanup-stack.ts';
import { askStub, newAgent } from './ask-stub.ts';
import { setDrainStage, type DrainStage, type StageSize } from './drain-stage.ts';
import { modelOf, untilNoModel } from './model-pods.ts';
import type { Question } from './stub-answer.ts';

const SIZE: StageSize = { edges: 3, clients: 0, models: 60, room: 60, idleTimeout: '3s' };
const BURST = 500;

/** A burst of requests for one model that is not loaded; then many models that are wanted at once, and then by nobody. */
export const proveTogether = async (): Promise<readonly Series[]> =>
  withCleanup(async (outer) => {
    const stage = await setDrainStage(outer, SIZE);
    return [await burst(stage), await toZero(stage), await stage.judge()];
  });

async function burst(stage: DrainStage): Promise<Series> {
  const [model = ''] = stage.models;
  const made = countMade(stage, model);
  const asked = await askAll(
    stage,
    Array.from({ length: BURST }, () => model),
  );
  const failures = [...asked.faults, ...stage.stubs.faults];
  if (made() !== 1) failures.push(`${made()} pods were made`);
  const what = `${BURST} requests at once for a model that is not loaded, by three edges: one pod, each answered whole, each generated once`;
  return { what, runs: BURST, failures, timed: 'held', timings: asked.held };
}

/** How many pods of a model there have been from the call on. */
function countMade({ pods }: DrainStage, model: string): () => number {
  const seen = new Set<string>();
  pods.onChange(() => {
    for (const { metadata } of pods.objects) if (modelOf(metadata) === model) seen.add(metadata.uid);
  });
  return () => seen.size;
}

async function toZero(stage: DrainStage): Promise<Series> {
  const { faults } = await askAll(stage, stage.models);
  const since = performance.now();
  await untilNoModel(stage.pods);
  const what = `${stage.models.length} models that are wanted at once and then by nobody, with an idleTimeout of ${SIZE.idleTimeout}`;
  return { what, runs: 1, failures: faults, timed: 'from the last answer to the end of the last pod', timings: [performance.now() - since] }; // prettier-ignore
}

async function askAll(
  { edges }: DrainStage,
  models: readonly string[],
): Promise<{ readonly faults: string[]; readonly held: readonly number[] }> {
  const agent = newAgent();
  const asked = await Promise.all(
    models.map(async (model, index) => {
      const question: Question = {
        id: `${model}-${models.length}-${index}`,
        model,
        stream: index % 2 === 0,
        tokens: 3,
        pause: 5,
      };
      return askStub(agent, edges.at(index % edges.size).url, question);
    }),
  );
  await agent.destroy();
  return {
    faults: asked.flatMap(({ fault }) => fault ?? []),
    held: asked.flatMap(({ held }) => (held > 0 ? [held] : [])),
  };
}
