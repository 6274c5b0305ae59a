import type { ApiObject } from '../../cluster/support/api-client.ts';
import type { Mirror } from '../operator-trials/mirror.ts';

/** The model whose pod it is; `undefined`: none's. */
export const modelOf = ({ labels }: ApiObject['metadata']): string | undefined => labels?.['corral.dev/preset'];

/** A pod of a model that is not `old`. */
export const podOf = ({ objects }: Mirror, model: string, old?: ApiObject): ApiObject | undefined =>
  objects.find(({ metadata }) => modelOf(metadata) === model && metadata.uid !== old?.metadata.uid);

/** The pods of all models. */
export const modelPods = ({ objects }: Mirror): readonly ApiObject[] =>
  objects.filter(({ metadata }) => modelOf(metadata) !== undefined);

/** Resolves when no model has a pod. */
export async function untilNoModel(pods: Mirror): Promise<void> {
  await pods.until('all pods are gone', () => (modelPods(pods).length > 0 ? undefined : true));
}
