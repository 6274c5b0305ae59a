import type { JsonObject } from '../../domain/json.ts';
import type { PodResources, PodSettings } from '../../api/cluster/pod-settings.ts';
import { FETCH_SCRIPT } from './fetch-script.ts';
import { listFetches } from './place-sources.ts';

/** Names of the init containers that download begin so. */
export const FETCHERS = 'corral-fetch-';

/** What a container that downloads has in common with the llama-server. */
export interface Surroundings {
  readonly env: readonly JsonObject[];
  readonly volumeMounts: readonly JsonObject[];
  readonly securityContext: JsonObject;
  /** Keeps the kubelet from expanding a text. */
  readonly literally: (text: string) => string;
}

/** What is no device: a download needs none. */
const ORDINARY: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** The init containers that download what lies at a URL, in the llama-server's own image: one for each file. */
export const renderFetches = (settings: PodSettings, around: Surroundings): JsonObject[] =>
  listFetches(settings).map(({ name, path, source: { url, sha256 = '' } }) => ({
    name: `${FETCHERS}${name}`,
    image: settings.image,
    command: ['sh', '-c', around.literally(FETCH_SCRIPT), 'sh', around.literally(url), path, sha256],
    env: [...around.env, { name: 'CORRAL_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    ...(settings.pod.envFrom === undefined ? {} : { envFrom: settings.pod.envFrom }),
    resources: ordinary(settings.resources),
    volumeMounts: around.volumeMounts,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: around.securityContext,
  }));

/** The same as the llama-server's: of the two the larger counts, so that the pod takes no more. */
function ordinary({ limits, requests }: PodResources): JsonObject {
  const keep = (amounts: NonNullable<PodResources['limits']>): JsonObject =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => ORDINARY.has(name)));
  return {
    ...(limits === undefined ? {} : { limits: keep(limits) }),
    ...(requests === undefined ? {} : { requests: keep(requests) }),
  };
}
