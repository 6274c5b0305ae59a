import type { Fault } from './check-object.ts';
import { type FieldPath, formatPattern, walk } from './field-path.ts';
import { CONTROLLER_NAME } from './model-pool-schema.ts';
import { parseManifestArg } from './parse-manifest-arg.ts';
import { findEnvRefusal } from './reserved-options.ts';

const CLUSTER = 'needs a cluster';
const SOURCES = ['spec.presets[].source', 'spec.presets[].files[].source'];

/** Fields that an API server accepts and `corral serve` cannot honour: it refuses them. Keys: `formatPattern`. */
export const REFUSED_BY_SERVE: ReadonlyMap<string, string> = new Map([
  ...SOURCES.flatMap((source) =>
    ['persistentVolumeClaim', 'image'].map((kind) => [`${source}.${kind}`, CLUSTER] as const),
  ),
  ...SOURCES.map((source) => [`${source}.url`, `${CLUSTER}; here download the file and give its path`] as const),
  ['spec.presets[].source.huggingFace.tokenSecretRef', `${CLUSTER}; here set HF_TOKEN in Corral's environment`],
  ['spec.presets[].env[].valueFrom', CLUSTER],
  ['spec.defaults.env[].valueFrom', CLUSTER],
  ['spec.drainTimeout', 'not supported by corral serve'],
]);

const LAYERS = ['spec.defaults', 'spec.presets[]'];
const CLUSTER_ONLY = 'it matters in a cluster only';
const WRITTEN = 'a cluster writes it, and nobody reads it here';

/** Fields that have no effect in `corral serve`, and why. Keys: `formatPattern`. */
export const WITHOUT_EFFECT_IN_SERVE: ReadonlyMap<string, string> = new Map([
  ['spec.allowedNamespaces', CLUSTER_ONLY],
  ['spec.capacity.unschedulableAfter', CLUSTER_ONLY],
  ...LAYERS.flatMap((layer) =>
    ['engine.image', 'resources.requests', 'resources.claims', 'pod', 'scaling.provisionTimeout'].map(
      (field) => [`${layer}.${field}`, CLUSTER_ONLY] as const,
    ),
  ),
  ['status', WRITTEN],
]);

const LIMITS = [
  { ends: '.args[]', find: findArgFault },
  { ends: '.env[].name', find: findEnvRefusal },
  { ends: 'spec.controllerName', find: findForeignPool },
] as const;

/** The image decides in a cluster which options there are; here it is known. */
function findArgFault(text: string): Omit<Fault, 'path' | 'at'> | undefined {
  const parsed = parseManifestArg(text);
  return parsed.kind === 'fault' ? parsed.fault : undefined;
}

function findForeignPool(name: string): Omit<Fault, 'path' | 'at'> | undefined {
  return name === CONTROLLER_NAME
    ? undefined
    : { reason: `must be ${CONTROLLER_NAME}, which is Corral, not "${name}"` };
}

function findLimit(path: FieldPath, value: unknown): Omit<Fault, 'path' | 'at'> | undefined {
  const pattern = formatPattern(path);
  const refused = REFUSED_BY_SERVE.get(pattern);
  if (refused !== undefined) return { reason: refused };
  if (typeof value !== 'string') return undefined;
  const limit = LIMITS.find(({ ends }) => pattern.endsWith(ends));
  return limit?.find(value);
}

/** What `corral serve` refuses beyond what an API server does: it needs a cluster, or another llama-server. */
export const findServeFaults = (object: unknown): readonly Fault[] =>
  [...walk(object)].flatMap(({ path, value }) => {
    const limit = findLimit(path, value);
    const at = REFUSED_BY_SERVE.has(formatPattern(path)) ? 'name' : 'value';
    return limit === undefined ? [] : [{ path, at, ...limit }];
  });
