import { readFile } from 'node:fs/promises';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiProxy } from '../operator-trials/api-proxy.ts';
import { podPath } from '../operator-trials/paper-kubelet.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import type { DrainStage } from './drain-stage.ts';
import { podOf } from './model-pods.ts';
import { Questions } from './questions.ts';

/**
 * Requests of each deletion that an edge sends to the pod without having heard of it, one after the other: together they take as
 * long as several times what the guard in a stub waits for.
 */
const REQUESTS = 40;

/** What an edge hears of pods, and when. */
class Hearing {
  #held: PromiseWithResolvers<undefined> | undefined;

  readonly pass = async (path: string): Promise<void> => {
    if (path.endsWith('/pods')) await this.#held?.promise;
  };

  end(): void {
    this.#held = Promise.withResolvers();
  }

  begin(): void {
    this.#held?.resolve(undefined);
    this.#held = undefined;
  }
}

/**
 * Somebody deletes the pod of a model that is in use at an edge which hears of it late, after several times as long as the guard in
 * the pod waits for a busy slot. Another edge hears of it at once.
 */
export async function tryLate(t: Cleanup, stage: DrainStage, runs: number): Promise<Series> {
  const { cluster, edges, models } = stage;
  const [ca, hearing] = [await readFile(cluster.caFile, 'utf8'), new Hearing()];
  const proxy = new ApiProxy(t, { server: cluster.server, ca, name: 'corral/late-edge' });
  proxy.onRead = hearing.pass;
  t.after(async () => {
    hearing.begin();
    return Promise.resolve();
  });
  const late = await edges.make(await proxy.listen());
  const questions = new Questions(t, 'late');
  const tried = await tryEach(Array.from({ length: runs }), async (_, run) => {
    const model = models[run % models.length];
    if (model === undefined) throw new Error('there are no models');
    return deleteInUse(stage, { hearing, late: late.url, prompt: edges.at(0).url, model, questions });
  });
  return {
    what: `the pod of a model is deleted by others, and one of two edges hears of it ${REQUESTS} of its requests later: each answered whole`,
    runs,
    ...tried,
    timed: 'from the deletion until the edge hears of it',
  };
}

interface Deletion {
  readonly hearing: Hearing;
  /** Edges, of which the first one hears late. */
  readonly late: string;
  readonly prompt: string;
  readonly model: string;
  readonly questions: Questions;
}

/** Resolves with how late the edge has heard of it, in milliseconds. */
async function deleteInUse(
  { cluster, pods }: DrainStage,
  { hearing, late, prompt, model, questions }: Deletion,
): Promise<number> {
  await questions.ask(late, model);
  const old = await pods.until(`a pod of ${model}`, () => podOf(pods, model));
  hearing.end();
  const began = performance.now();
  await cluster.api.call('DELETE', podPath(old));
  await pods.until('the deletion', () => (isLeaving(pods.find(old.metadata.uid)) ? true : undefined));
  const elsewhere = questions.ask(prompt, model);
  elsewhere.catch(() => undefined);
  for (let count = 0; count < REQUESTS; count += 1) await questions.ask(late, model);
  if (!isLeaving(pods.find(old.metadata.uid))) throw new Error('the pod has ended while it was in use');
  hearing.begin();
  const took = performance.now() - began;
  await questions.ask(late, model);
  await elsewhere;
  // Who has not heard of it yet is still answered by the old pod; another one comes when somebody asks who has.
  for (let count = 0; count < REQUESTS && podOf(pods, model, old) === undefined; count += 1)
    await questions.ask(late, model);
  await pods.until('another pod', () => podOf(pods, model, old));
  return took;
}

const isLeaving = (pod: ApiObject | undefined): boolean => pod?.metadata.deletionTimestamp !== undefined;
