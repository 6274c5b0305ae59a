import { findNameFault } from './check-model-name.ts';
import { parseDuration } from './duration-text.ts';
import { type FieldPath, formatPattern } from './field-path.ts';
import { ARG_PATTERN } from './manifest-schema.ts';
import { parseManifestArg } from './parse-manifest-arg.ts';
import type { Problem } from './problem.ts';
import { findEnvRefusal } from './reserved-options.ts';

type Fault = Pick<Problem, 'reason' | 'fix'>;

const CLUSTER = 'needs a cluster';
const VERSION = 'not supported by this version of corral serve';

/** Fields of the API that are refused here instead of being without effect. Keys: `formatPattern`. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['spec.presets[].priority', VERSION],
  ['spec.presets[].footprint', VERSION],
  ['spec.presets[].variants', VERSION],
  ['spec.presets[].files', VERSION],
  ['spec.presets[].scaling.targetInFlight', VERSION],
  ['spec.presets[].source.url', CLUSTER],
  ['spec.presets[].source.persistentVolumeClaim', CLUSTER],
  ['spec.presets[].source.image', CLUSTER],
  ['spec.presets[].source.huggingFace.revision', VERSION],
  ['spec.presets[].source.huggingFace.tokenSecretRef', `${CLUSTER}; here set HF_TOKEN in Corral's environment`],
  ['spec.presets[].env[].valueFrom', CLUSTER],
  ['spec.defaults.env[].valueFrom', CLUSTER],
  ['spec.defaults.scaling.targetInFlight', VERSION],
  ['spec.defaults.footprint', VERSION],
  ['spec.maxPriority', VERSION],
  ['spec.capacity.resources', VERSION],
  ['spec.capacity.nodes', CLUSTER],
  ['spec.capacity.unschedulableAfter', CLUSTER],
  ['spec.drainTimeout', VERSION],
  ['status', 'written by a cluster and never read; leave it out'],
]);

/** Why a field that the schema does not know is refused; `undefined`: it is no field of the API at all. */
export const findUnsupported = (path: FieldPath): string | undefined => UNSUPPORTED.get(formatPattern(path));

const LAYERS = ['spec.defaults', 'spec.presets[]'];
const CLUSTER_ONLY: ReadonlySet<string> = new Set([
  'spec.allowedNamespaces',
  ...LAYERS.flatMap((layer) =>
    ['engine.image', 'resources', 'pod', 'scaling.provisionTimeout'].map((field) => `${layer}.${field}`),
  ),
]);

/** Whether a field matters in a cluster only. */
export const isClusterOnly = (path: FieldPath): boolean => CLUSTER_ONLY.has(formatPattern(path));

const fault = (reason: string | undefined): Fault | undefined => (reason === undefined ? undefined : { reason });

/** What the schema's pattern cannot say. A text that is no duration at all is left to the schema. */
function checkDuration(text: string, mayBeZero: boolean): Fault | undefined {
  const duration = parseDuration(text);
  const tooLong = duration === undefined && /^[\d.hms]+$/u.test(text);
  if (tooLong) return { reason: 'must not be longer than 480h' };
  return duration === 0 && !mayBeZero ? { reason: 'must be longer than 0s' } : undefined;
}

const ARG = new RegExp(ARG_PATTERN, 'u');

function checkArg(text: string): Fault | undefined {
  const parsed = ARG.test(text) ? parseManifestArg(text) : undefined;
  return parsed?.kind === 'fault' ? parsed.fault : undefined;
}

interface Rule {
  /** The end of the pattern of the fields it is about. */
  readonly ends: readonly string[];
  check(text: string): Fault | undefined;
}

/** What a schema cannot say about single texts. */
const RULES: readonly Rule[] = [
  { ends: ['.args[]'], check: checkArg },
  { ends: ['.presets[].model', '.aliases[]'], check: (name) => fault(findNameFault(name)) },
  { ends: ['.env[].name'], check: findEnvRefusal },
  {
    ends: ['.env[].value', '.source.path'],
    check: (text) => fault(text.includes('\0') ? 'must not hold NUL' : undefined),
  },
  {
    ends: ['.scaling.idleTimeout', '.scaling.provisionTimeout', '.eviction.minResidency', '.eviction.fairAfter'],
    check: (text) => checkDuration(text, true),
  },
  { ends: ['.scaling.loadTimeout', '.queue.maxWait'], check: (text) => checkDuration(text, false) },
];

/** What is wrong with one value beyond its schema; `undefined`: nothing. */
export function findValueFault(path: FieldPath, value: unknown): Fault | undefined {
  if (typeof value !== 'string') return undefined;
  const pattern = formatPattern(path);
  const rule = RULES.find(({ ends }) => ends.some((end) => pattern.endsWith(end)));
  return rule?.check(value);
}
