import type { Cleanup } from '../../support/temp-folder.ts';
import type { PaperRequest } from './paper-edge.ts';
import type { Stage } from './stage.ts';
import { Trial } from './trial.ts';

/** A ModelDeployment with loaded models, which is to stay as it is. */
export interface LoadedModels {
  readonly trial: Trial;
  /** One for each model that is busy. */
  readonly requests: readonly PaperRequest[];
  /** Changes what the operator that leads has to tell in a status, and nothing that runs. */
  readonly edit: () => Promise<void>;
  /** Resolves when the last edit is told. */
  readonly untilTold: () => Promise<void>;
}

export interface ModelNames {
  /** Of all that belongs to them. */
  readonly id: string;
  readonly busy: readonly string[];
  readonly unloaded?: readonly string[];
}

/** Declares models in a pool with room for the busy ones, and loads those. An operator must lead. They go with `t`. */
export async function loadModels(
  t: Cleanup,
  stage: Stage,
  { id, busy, unloaded = [] }: ModelNames,
): Promise<LoadedModels> {
  // prettier-ignore
  const { api } = stage.own.cluster;
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: id } });
  const accounts = `/api/v1/namespaces/${id}/serviceaccounts`;
  await api.until(accounts, 'default', (account) => account !== undefined);
  const trial = new Trial(stage, id, id);
  t.after(async () => trial.end());
  // Busy ones stay, however long others wait.
  await trial.begin({ capacity: { maxLoaded: busy.length }, eviction: { fairAfter: '0s' } });
  const presets = [...busy, ...unloaded].map((name) => ({ name }));
  await trial.declare(presets);
  const requests = busy.map((name) => trial.request(name));
  for (const name of busy) await trial.untilPhase(name, 'Ready');
  let edits = 0;
  return {
    trial,
    requests,
    edit: async () => {
      edits += 1;
      await trial.edit(presets.map((preset) => ({ ...preset, queue: { maxWaiting: 100 + edits } })));
    },
    untilTold: async () => untilObserved(trial),
  };
}

async function untilObserved(trial: Trial): Promise<void> {
  await trial.stage.deployments.until('the status is of the last edit', () => {
    const text = JSON.stringify(trial.deployment);
    const generation = /"generation":(\d+)/u.exec(text)?.[1];
    return text.includes(`"observedGeneration":${String(generation)}`) ? true : undefined;
  });
}
