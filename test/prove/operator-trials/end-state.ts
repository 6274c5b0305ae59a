import type { ApiObject } from '../../cluster/support/api-client.ts';
import { GROUP } from '../../cluster/support/corral-names.ts';
import type { Trial } from './trial.ts';

/** What differs between two runs of one scenario, whatever the operator does: who is meant by it instead. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu, 'UID'],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/gu, 'TIME'],
  // Of a pod's name, of its secret prefix, and of what was rendered from names that are a trial's own.
  [/\b[0-9a-f]{10,64}\b/gu, 'HEX'],
  // The number in a pod's name: the one before keeps its own until the operator has heard that it is gone, which may be later than the trial.
  [/\bHEX-\d+\b/gu, 'HEX-N'],
];

/**
 * Of metadata: versions, and who wrote. Of statuses: what is told late, the order of use once a minute, and the end of the last
 * request of a model only when something else has changed; and how long a load took, which only an operator knows that saw all of it.
 */
const DROPPED = new Set(['resourceVersion', 'managedFields', 'lru', 'lastUsedTime', 'loadSeconds']);

/** All that is left of a trial in the cluster, as lines of text in which two trials of one scenario are alike. */
export async function endStateOf(trial: Trial): Promise<string> {
  const { api } = trial.stage.own.cluster;
  const { namespace, pool } = trial.place;
  const [deployment, poolObject, pods] = await Promise.all([
    api.find(`${GROUP}/namespaces/${namespace}/modeldeployments`, trial.id),
    api.find(`${GROUP}/modelpools`, pool),
    api.list(`/api/v1/namespaces/${namespace}/pods?labelSelector=corral.dev%2Fdeployment%3D${trial.id}`),
  ]);
  return mask({ deployment, pool: poolObject, pods: pods.toSorted(byName) }, trial);
}

const byName = (a: ApiObject, b: ApiObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);

function mask(state: object, { id, place }: Trial): string {
  const text = JSON.stringify(state, (key, value: unknown) => (DROPPED.has(key) ? undefined : value), 1);
  const named = text.replaceAll(id, 'TRIAL').replaceAll(place.namespace, 'NAMESPACE');
  return MASKS.reduce((masked, [pattern, name]) => masked.replaceAll(pattern, name), named);
}

/** What is only in one of two states, or more often in one, line by line. */
export function describeDifference(expected: string, found: string): string {
  const [before, after] = [expected, found].map((state) => state.split('\n').map((line) => line.trim()));
  return `missing: ${without(before, after)}; instead: ${without(after, before)}`;
}

const MOST_LINES = 6;

function without(lines: readonly string[] = [], others: readonly string[] = []): string {
  const left = [...others];
  const only = lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
  return only.slice(0, MOST_LINES).join(' ');
}
