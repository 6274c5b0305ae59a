import { poolName, type PoolName } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { Scaling } from '../domain/preset.ts';
import type { Duration } from '../domain/units.ts';
import { byPlace, siteFault } from './check-manifest.ts';
import type { SitedName } from './decode-presets.ts';
import {
  DEFAULT_POOL,
  DEFAULT_PRIORITY,
  decodePoolSpec,
  decodeScaling,
  maxPriorityOf,
  readDuration,
} from './decode-settings.ts';
import { type FieldPath, formatField, formatPattern, walk } from './field-path.ts';
import type { ArgItem } from './llama-options.ts';
import type { ModelDeployment, ModelPool } from './manifest-schema.ts';
import type { ManifestDefaults, ManifestFile, ManifestPreset } from './model-deployment-schema.ts';
import { type NamedFile, repositoryName, valueItem } from './model-files.ts';
import { parseManifestArg } from './parse-manifest-arg.ts';
import { type Problem, type Site, type WithoutEffect, formatPlace } from './problem.ts';
import type { Quantities } from './quantity.ts';
import { type ReadManifest, readManifests } from './read-manifests.ts';
import type { YamlDocument } from './read-yaml.ts';
import { WITHOUT_EFFECT_IN_SERVE, findServeFaults } from './serve-limits.ts';

/** What a pool, an object or a preset sets; the more special one wins. */
export interface Layer {
  readonly args: readonly ArgItem[];
  readonly env: ReadonlyMap<string, string>;
  readonly scaling: Partial<Scaling>;
  /** Its `resources.limits`. */
  readonly limits: Sited<Quantities> | undefined;
}

/** A value and where it stands. */
export interface Sited<T> {
  readonly value: T;
  readonly site: Site;
}

/** A variant and where its name stands. */
export interface SitedVariant extends SitedName {
  /** See `Variant`. */
  readonly parameters: string;
}

export interface DecodedPreset {
  readonly model: SitedName;
  readonly aliases: readonly SitedName[];
  readonly variants: readonly SitedVariant[];
  readonly tags: readonly string[];
  readonly source: readonly ArgItem[];
  readonly files: readonly NamedFile[];
  readonly layer: Layer;
  /** What it says itself, without what it inherits. */
  readonly footprint: Sited<Quantities> | undefined;
  /** Where it says none, it is its name that has a place. */
  readonly priority: Sited<number>;
  readonly maxWaiting: number | undefined;
  readonly maxWait: Duration | undefined;
}

export interface DecodedDeployment {
  /** Namespace and name, which tell two objects apart. */
  readonly object: string;
  readonly site: Site;
  readonly pool: PoolName;
  readonly defaults: Layer;
  readonly presets: readonly DecodedPreset[];
}

export interface DecodedPool {
  readonly pool: Pool;
  readonly maxPriority: number;
  readonly defaults: Layer;
  readonly site: Site;
}

export interface DecodedManifests {
  readonly deployments: readonly DecodedDeployment[];
  readonly pools: readonly DecodedPool[];
  /** All of these kinds, also what is refused. */
  readonly documents: readonly YamlDocument[];
  readonly withoutEffect: readonly WithoutEffect[];
  readonly problems: readonly Problem[];
}

const DEFAULT_NAMESPACE = 'default';
const NOTHING = { deployments: [], pools: [] } as const;

function readArg(text: string): ArgItem {
  const parsed = parseManifestArg(text);
  if (parsed.kind === 'fault') throw new Error(`unchecked argument: ${parsed.fault.reason}`);
  return parsed.item;
}

function decodeLayer(layer: ManifestDefaults | undefined, siteOf: (...path: FieldPath) => Site): Layer {
  const limits = layer?.resources?.limits;
  return {
    args: (layer?.args ?? []).map(readArg),
    env: new Map((layer?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    scaling: decodeScaling(layer?.scaling),
    limits: limits === undefined ? undefined : { value: limits, site: siteOf('resources', 'limits') },
  };
}

function decodeSource({ path, huggingFace }: ManifestPreset['source']): ArgItem[] {
  if (path !== undefined) return [valueItem('--model', path)];
  return huggingFace === undefined ? [] : [valueItem('--hf-repo', repositoryName(huggingFace))];
}

/** What an API server takes and this program cannot honour is refused elsewhere. */
function decodeFile({ arg, source: { path, huggingFace } }: ManifestFile): NamedFile[] {
  if (path !== undefined) return [{ arg, path }];
  return arg === 'model-draft' && huggingFace !== undefined ? [{ arg, repository: repositoryName(huggingFace) }] : [];
}

function decodePreset(preset: ManifestPreset, path: FieldPath, document: YamlDocument): DecodedPreset {
  const site = (...more: FieldPath): Site => document.siteOfValue([...path, ...more]);
  const { name, model, aliases = [], variants = [], tags = [], footprint, priority, queue } = preset;
  return {
    model: model === undefined ? { name, site: site('name') } : { name: model, site: site('model') },
    aliases: aliases.map((alias, index) => ({ name: alias, site: site('aliases', index) })),
    variants: variants.map((variant, index) => ({
      name: variant.model,
      parameters: JSON.stringify(variant.parameters),
      site: site('variants', index, 'model'),
    })),
    tags,
    source: decodeSource(preset.source),
    files: (preset.files ?? []).flatMap(decodeFile),
    layer: decodeLayer(preset, site),
    footprint: footprint === undefined ? undefined : { value: footprint, site: site('footprint') },
    priority:
      priority === undefined
        ? { value: DEFAULT_PRIORITY, site: site('name') }
        : { value: priority, site: site('priority') },
    maxWaiting: queue?.maxWaiting,
    maxWait: queue?.maxWait === undefined ? undefined : readDuration(queue.maxWait),
  };
}

function decodeDeployment({ metadata, spec }: ModelDeployment, document: YamlDocument): DecodedDeployment {
  const presets = spec.presets.map((preset, index) => decodePreset(preset, ['spec', 'presets', index], document));
  return {
    object: `${metadata.namespace ?? DEFAULT_NAMESPACE}/${metadata.name}`,
    site: document.siteOfValue(['metadata', 'name']),
    pool: poolName(spec.pool ?? DEFAULT_POOL),
    defaults: decodeLayer(spec.defaults, (...path) => document.siteOfValue(['spec', 'defaults', ...path])),
    presets,
  };
}

function decodePool({ metadata, spec = {} }: ModelPool, document: YamlDocument): DecodedPool {
  return {
    pool: decodePoolSpec(metadata.name, spec),
    maxPriority: maxPriorityOf(spec),
    defaults: decodeLayer(spec.defaults, (...path) => document.siteOfValue(['spec', 'defaults', ...path])),
    site: document.siteOfValue(['metadata', 'name']),
  };
}

const listWithoutEffect = (document: YamlDocument): WithoutEffect[] =>
  [...walk(document.value)].flatMap(({ path }) => {
    const reason = WITHOUT_EFFECT_IN_SERVE.get(formatPattern(path));
    return reason === undefined ? [] : [{ file: document.siteOfValue(path).file, field: formatField(path), reason }];
  });

function decodeManifest(manifest: ReadManifest): Pick<DecodedManifests, 'deployments' | 'pools'> {
  const { document } = manifest;
  switch (manifest.kind) {
    case 'ModelDeployment':
      return { ...NOTHING, deployments: [decodeDeployment(manifest.object, document)] };
    case 'ModelPool':
      return { ...NOTHING, pools: [decodePool(manifest.object, document)] };
  }
}

const limitsOf = (document: YamlDocument): Problem[] =>
  findServeFaults(document.value).map((fault) => siteFault(document, fault));

/** Of two problems of one place the first tells enough. */
const unique = (problems: readonly Problem[]): Problem[] => [
  ...new Map(
    problems.toReversed().map((problem) => [`${formatPlace(problem)}:${problem.field ?? ''}`, problem] as const),
  ).values(),
];

/**
 * Reads manifests: YAML with ModelDeployment (modeldeployments.corral.dev) and ModelPool (modelpools.corral.dev) objects.
 * What an API server would refuse is refused, and what `corral serve` cannot honour, with the reason; what has no effect here
 * is listed in `withoutEffect`. An object with a problem is left out, and all its problems named.
 */
export function decodeManifests(text: string, file: string): DecodedManifests {
  const { manifests, refused, problems } = readManifests(text, file);
  const limited = manifests.map((manifest) => ({ manifest, limits: limitsOf(manifest.document) }));
  const decoded = limited.filter(({ limits }) => limits.length === 0).map(({ manifest }) => decodeManifest(manifest));
  const documents = [...manifests.map(({ document }) => document), ...refused];
  const limits = [...limited.flatMap((one) => one.limits), ...refused.flatMap(limitsOf)];
  return {
    deployments: decoded.flatMap(({ deployments }) => deployments),
    pools: decoded.flatMap(({ pools }) => pools),
    documents,
    withoutEffect: documents.flatMap(listWithoutEffect),
    problems: unique([...problems, ...limits]).sort(byPlace),
  };
}
