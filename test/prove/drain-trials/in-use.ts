import { declareModels } from '../../cluster/support/declare.ts';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import type { Random } from '../../../src/testing/hostile-bodies.ts';
import { declarePoolFor, POOL, untilAllListed, type DrainStage } from './drain-stage.ts';
import { oneOf, type Turn } from './load.ts';
import { modelOf } from './model-pods.ts';

/** Models that clients use all the time. Nothing keeps them but that. */
export const IN_USE: readonly string[] = ['used-0', 'used-1'];
/** A model that is not loaded, for which a request waits no longer than `IMPATIENT_MS`. */
export const IMPATIENT = 'impatient';
const IMPATIENT_MS = 2_000;
const IN_USE_POOL = 'in-use';
/** After which one that nobody used would go. */
const IDLE_TIMEOUT = '5s';

const presetOf = (name: string): { readonly name: string; readonly source: { readonly path: string } } => ({
  name,
  source: { path: `/models/${name}.gguf` },
});

/** Declares them: those in use in a pool with room for all of them, so that only who takes them for idle would have them leave. */
export async function declareInUse({ cluster: { api }, edges }: DrainStage): Promise<void> {
  await declarePoolFor(api, IN_USE_POOL, { room: IN_USE.length, idleTimeout: IDLE_TIMEOUT });
  await declareModels(api, { name: IN_USE_POOL }, { pool: IN_USE_POOL, presets: IN_USE.map(presetOf) });
  const impatient = { ...presetOf(IMPATIENT), queue: { maxWait: `${IMPATIENT_MS}ms` } };
  await declareModels(api, { name: IMPATIENT }, { pool: POOL, presets: [impatient] });
  await untilAllListed(edges, [...IN_USE, IMPATIENT]);
}

/** Resolves with the uids of their pods, when all are ready. */
export async function untilInUse({ pods }: DrainStage): Promise<readonly string[]> {
  return pods.until('the pods of the models in use', () => {
    const uids = uidsInUse(pods.objects);
    return uids.length === IN_USE.length ? uids : undefined;
  });
}

/** The uids of their pods. */
export const uidsInUse = (pods: readonly ApiObject[]): readonly string[] =>
  pods
    .filter(({ metadata }) => IN_USE.includes(String(modelOf(metadata))))
    .map(({ metadata }) => metadata.uid)
    .toSorted();

/** A short answer, or a stream of some seconds, of one of them. */
export const drawInUse = (random: Random, id: string, stream: boolean): Turn => {
  const length = stream ? { tokens: 20 + random(80), pause: 100 } : { tokens: 1, pause: 1 + random(20) };
  return { question: { id, model: oneOf(IN_USE, random), stream, ...length }, rest: stream ? 0 : random(200) };
};
