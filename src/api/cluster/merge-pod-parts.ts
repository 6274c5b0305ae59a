import type { JsonObject } from '../../domain/json.ts';
import type { ManifestDefaults } from '../model-deployment-schema.ts';
import { mergeJson, toJsonMap } from './json-value.ts';
import type { PodPart } from './pod-settings.ts';

type Part = NonNullable<ManifestDefaults['pod']>;
type Texts = Readonly<Record<string, string>>;

/** `make` of the value, if there is one: so that a missing field stays missing instead of being set to nothing. */
const given = <T, Made>(value: T | undefined, make: (value: T) => Made): Made | undefined =>
  value === undefined ? undefined : make(value);

const set = <T>(parts: readonly Part[], read: (part: Part) => T | undefined): T[] =>
  parts.map(read).filter((value) => value !== undefined);

function texts(parts: readonly Part[], read: (part: Part) => Texts | undefined): Texts | undefined {
  const maps = set(parts, read);
  return maps.length === 0 ? undefined : Object.fromEntries(maps.flatMap((map) => Object.entries(map)));
}

function map(parts: readonly Part[], read: (part: Part) => object | undefined): JsonObject | undefined {
  const maps = set(parts, read).map(toJsonMap);
  return maps.length === 0 ? undefined : maps.reduce(mergeJson);
}

function list(parts: readonly Part[], read: (part: Part) => readonly object[] | undefined): JsonObject[] | undefined {
  const items = set(parts, read).flat();
  return items.length === 0 ? undefined : items.map(toJsonMap);
}

/** Where the pod runs, and as whom. */
const mergePlacement = (parts: readonly Part[]): PodPart => ({
  ...given(
    texts(parts, (part) => part.nodeSelector),
    (nodeSelector) => ({ nodeSelector }),
  ),
  ...given(
    list(parts, (part) => part.tolerations),
    (tolerations) => ({ tolerations }),
  ),
  ...given(
    map(parts, (part) => part.affinity),
    (affinity) => ({ affinity }),
  ),
  ...given(
    list(parts, (part) => part.topologySpreadConstraints),
    (topologySpreadConstraints) => ({ topologySpreadConstraints }),
  ),
  ...given(set(parts, (part) => part.runtimeClassName).at(-1), (runtimeClassName) => ({ runtimeClassName })),
  ...given(set(parts, (part) => part.priorityClassName).at(-1), (priorityClassName) => ({ priorityClassName })),
  ...given(set(parts, (part) => part.schedulerName).at(-1), (schedulerName) => ({ schedulerName })),
  ...given(
    map(parts, (part) => part.securityContext),
    (securityContext) => ({ securityContext }),
  ),
  ...given(
    list(parts, (part) => part.resourceClaims),
    (resourceClaims) => ({ resourceClaims }),
  ),
});

/** Its marks, and what is in it. */
const mergeContents = (parts: readonly Part[]): PodPart => ({
  ...given(
    texts(parts, (part) => part.labels),
    (labels) => ({ labels }),
  ),
  ...given(
    texts(parts, (part) => part.annotations),
    (annotations) => ({ annotations }),
  ),
  ...given(
    list(parts, (part) => part.imagePullSecrets),
    (imagePullSecrets) => ({ imagePullSecrets }),
  ),
  ...given(
    list(parts, (part) => part.volumes),
    (volumes) => ({ volumes }),
  ),
  ...given(
    list(parts, (part) => part.volumeMounts),
    (volumeMounts) => ({ volumeMounts }),
  ),
  ...given(
    list(parts, (part) => part.envFrom),
    (envFrom) => ({ envFrom }),
  ),
  ...given(
    list(parts, (part) => part.initContainers),
    (initContainers) => ({ initContainers }),
  ),
  ...given(
    list(parts, (part) => part.sidecars),
    (sidecars) => ({ sidecars }),
  ),
});

/** Merges parts of a pod template, the weakest first: maps by key, lists appended, of anything else the strongest. */
export const mergePodParts = (parts: readonly Part[]): PodPart => ({
  ...mergePlacement(parts),
  ...mergeContents(parts),
});
