import { readFile } from 'node:fs/promises';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiProxy } from '../operator-trials/api-proxy.ts';
import { podPath } from '../operator-trials/paper-kubelet.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import type { DrainStage } from './drain-stage.ts';
import type { Edge } from './edge-fleet.ts';
import { podOf } from './model-pods.ts';
import { Questions } from './questions.ts';
import { reportedOf } from './reported.ts';

/**
 * Requests of each deletion that an edge sends to the pod without having heard of it, one after the other: together they take as
 * long as several times what the guard in a stub waits for.
 */
const REQUESTS = 40;
/** Requests that an edge has for a pod that has ended, without having heard of it. */
const HELD = 3;

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

/** An edge that hears late of pods, and one that hears at once. */
interface Pair {
  readonly hearing: Hearing;
  readonly late: Edge;
  readonly prompt: string;
  readonly questions: Questions;
}

/**
 * Somebody deletes the pod of a model of which one of two edges hears late: while it is in use there, after several times as long
 * as the guard in the pod waits for a busy slot, and while it is not, after the pod has ended.
 */
export async function tryLate(t: Cleanup, stage: DrainStage, runs: number): Promise<readonly Series[]> {
  const pair = await startPair(t, stage);
  const each = async (once: (deletion: Deletion) => Promise<number>): Promise<Pick<Series, 'failures' | 'timings'>> =>
    tryEach(Array.from({ length: runs }), async (_, run) => {
      const model = stage.models[run % stage.models.length];
      if (model === undefined) throw new Error('there are no models');
      return once({ ...pair, stage, model });
    });
  const timed = 'from the deletion until the edge hears of it';
  const inUse = `the pod of a model is deleted by others, and one of two edges hears of it ${REQUESTS} of its requests later: each answered whole`;
  const ended = `the pod of a model ends by others, and one of two edges hears of it when ${HELD} requests have found nobody there: each answered whole`;
  return [
    { what: inUse, runs, ...(await each(deleteInUse)), timed },
    { what: ended, runs, ...(await each(deleteUnused)), timed },
  ];
}

async function startPair(t: Cleanup, { cluster, edges }: DrainStage): Promise<Pair> {
  const [ca, hearing] = [await readFile(cluster.caFile, 'utf8'), new Hearing()];
  const proxy = new ApiProxy(t, { server: cluster.server, ca, name: 'corral/late-edge' });
  proxy.onRead = hearing.pass;
  t.after(async () => {
    hearing.begin();
    return Promise.resolve();
  });
  const late = await edges.make(await proxy.listen());
  return { hearing, late, prompt: edges.at(0).url, questions: new Questions(t, 'late') };
}

interface Deletion extends Pair {
  readonly stage: DrainStage;
  readonly model: string;
}

/** Resolves with how late the edge has heard of it, in milliseconds. */
async function deleteInUse(deletion: Deletion): Promise<number> {
  const { stage, hearing, late, prompt, model, questions } = deletion;
  const { pods } = stage;
  const { old, began } = await deletePod(deletion);
  await pods.until('the deletion', () => (isLeaving(pods.find(old.metadata.uid)) ? true : undefined));
  const elsewhere = questions.ask(prompt, model);
  elsewhere.catch(() => undefined);
  for (let count = 0; count < REQUESTS; count += 1) await questions.ask(late.url, model);
  if (!isLeaving(pods.find(old.metadata.uid))) throw new Error('the pod has ended while it was in use');
  hearing.begin();
  const took = performance.now() - began;
  await questions.ask(late.url, model);
  await elsewhere;
  // Who has not heard of it yet is still answered by the old pod; another one comes when somebody asks who has.
  for (let count = 0; count < REQUESTS && podOf(pods, model, old) === undefined; count += 1)
    await questions.ask(late.url, model);
  await pods.until('another pod', () => podOf(pods, model, old));
  return took;
}

/** The same. */
async function deleteUnused(deletion: Deletion): Promise<number> {
  const { stage, hearing, late, model, questions } = deletion;
  const { pods, reports } = stage;
  const { old, began } = await deletePod(deletion);
  await pods.until('its end', () => (pods.find(old.metadata.uid) === undefined ? true : undefined));
  const asked = Array.from({ length: HELD }, async () => questions.ask(late.url, model));
  for (const question of asked) question.catch(() => undefined);
  await reports.until('the report that they wait', () =>
    (reportedOf(reports, late, model)?.waiting ?? 0) > 0 ? true : undefined,
  );
  hearing.begin();
  const took = performance.now() - began;
  await Promise.all(asked);
  return took;
}

/** Has the late edge use a model, and deletes its pod when that edge hears no more. */
async function deletePod({
  stage,
  hearing,
  late,
  model,
  questions,
}: Deletion): Promise<{ readonly old: ApiObject; readonly began: number }> {
  const { cluster, pods } = stage;
  await questions.ask(late.url, model);
  const old = await pods.until(`a pod of ${model}`, () => podOf(pods, model));
  hearing.end();
  const began = performance.now();
  await cluster.api.call('DELETE', podPath(old));
  return { old, began };
}

const isLeaving = (pod: ApiObject | undefined): boolean => pod?.metadata.deletionTimestamp !== undefined;
