import { Value } from 'typebox/value';
import { poolName, type PoolName } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { Scaling } from '../domain/preset.ts';
import { type Duration, milliseconds, seconds } from '../domain/units.ts';
import { checkManifest } from './check-manifest.ts';
import type { SitedName } from './decode-presets.ts';
import { parseDuration } from './duration-text.ts';
import { type FieldPath, formatField, readMember, walk } from './field-path.ts';
import { type ArgItem, findOption } from './llama-options.ts';
import { isClusterOnly } from './manifest-rules.ts';
import {
  API_VERSION,
  type ManifestDefaults,
  type ManifestPreset,
  type ModelDeployment,
  ModelDeploymentSchema,
  type ModelPool,
  ModelPoolSchema,
} from './manifest-schema.ts';
import { suggest } from './nearest.ts';
import { parseManifestArg } from './parse-manifest-arg.ts';
import { type Problem, type Site, type WithoutEffect, formatPlace } from './problem.ts';
import { type YamlDocument, readYaml } from './read-yaml.ts';

/** What a pool, an object or a preset sets; the more special one wins. */
export interface Layer {
  readonly args: readonly ArgItem[];
  readonly env: ReadonlyMap<string, string>;
  readonly scaling: Partial<Scaling>;
}

export interface DecodedPreset {
  readonly model: SitedName;
  readonly aliases: readonly SitedName[];
  readonly tags: readonly string[];
  readonly source: readonly ArgItem[];
  readonly layer: Layer;
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
  readonly defaults: Layer;
  readonly site: Site;
}

export interface DecodedManifests {
  readonly deployments: readonly DecodedDeployment[];
  readonly pools: readonly DecodedPool[];
  readonly withoutEffect: readonly WithoutEffect[];
  readonly problems: readonly Problem[];
}

export const DEFAULT_FAIR_AFTER: Duration = seconds(30);
const DEFAULT_NAMESPACE = 'default';
const EMPTY: DecodedManifests = { deployments: [], pools: [], withoutEffect: [], problems: [] };

/** The pattern and the limit of every duration were checked before. */
function readDuration(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`unchecked duration ${text}`);
  return duration;
}

function readArg(text: string): ArgItem {
  const parsed = parseManifestArg(text);
  if (parsed.kind === 'fault') throw new Error(`unchecked argument: ${parsed.fault.reason}`);
  return parsed.item;
}

function decodeScaling(scaling: ManifestDefaults['scaling']): Partial<Scaling> {
  if (scaling === undefined) return {};
  const { minReplicas, idleTimeout, loadTimeout, autoload, loadOnStartup } = scaling;
  return {
    ...(minReplicas === undefined ? {} : { minReplicas }),
    ...(idleTimeout === undefined ? {} : { idleTimeout: readDuration(idleTimeout) }),
    ...(loadTimeout === undefined ? {} : { loadTimeout: readDuration(loadTimeout) }),
    ...(autoload === undefined ? {} : { autoload }),
    ...(loadOnStartup === undefined ? {} : { loadOnStartup }),
  };
}

const decodeLayer = (layer: ManifestDefaults | undefined): Layer => ({
  args: (layer?.args ?? []).map(readArg),
  env: new Map((layer?.env ?? []).map(({ name, value }) => [name, value])),
  scaling: decodeScaling(layer?.scaling),
});

function valueItem(name: string, value: string): ArgItem {
  const found = findOption(name);
  if (found === undefined) throw new Error(`llama-server has no option ${name}`);
  return { kind: 'values', option: found.option, values: [value] };
}

function decodeSource({ path, huggingFace }: ManifestPreset['source']): ArgItem[] {
  if (path !== undefined) return [valueItem('--model', path)];
  if (huggingFace === undefined) return [];
  const { repo, quant } = huggingFace;
  return [valueItem('--hf-repo', quant === undefined ? repo : `${repo}:${quant}`)];
}

function decodePreset(preset: ManifestPreset, path: FieldPath, document: YamlDocument): DecodedPreset {
  const site = (...more: FieldPath): Site => document.siteOfValue([...path, ...more]);
  const { name, model, aliases = [], tags = [], queue } = preset;
  return {
    model: model === undefined ? { name, site: site('name') } : { name: model, site: site('model') },
    aliases: aliases.map((alias, index) => ({ name: alias, site: site('aliases', index) })),
    tags,
    source: decodeSource(preset.source),
    layer: decodeLayer(preset),
    maxWaiting: queue?.maxWaiting,
    maxWait: queue?.maxWait === undefined ? undefined : readDuration(queue.maxWait),
  };
}

function decodeDeployment({ metadata, spec }: ModelDeployment, document: YamlDocument): DecodedManifests {
  const presets = spec.presets.map((preset, index) => decodePreset(preset, ['spec', 'presets', index], document));
  const deployment = {
    object: `${metadata.namespace ?? DEFAULT_NAMESPACE}/${metadata.name}`,
    site: document.siteOfValue(['metadata', 'name']),
    pool: poolName(spec.pool ?? 'default'),
    defaults: decodeLayer(spec.defaults),
    presets,
  };
  return { ...EMPTY, deployments: [deployment], problems: findRepeatedPresets(spec.presets, document) };
}

function findRepeatedPresets(presets: readonly ManifestPreset[], document: YamlDocument): Problem[] {
  return presets.flatMap(({ name }, index) => {
    const first = presets.findIndex((other) => other.name === name);
    if (first === index) return [];
    const reason = `spec.presets[${first}] has this name already`;
    return [{ ...document.siteOfValue(['spec', 'presets', index, 'name']), reason, fix: 'Rename one.' }];
  });
}

function decodePool({ metadata, spec = {} }: ModelPool, document: YamlDocument): DecodedManifests {
  const { minResidency, fairAfter } = spec.eviction ?? {};
  const pool: Pool = {
    name: poolName(metadata.name),
    maxLoaded: spec.capacity?.maxLoaded ?? 0,
    paused: spec.paused ?? false,
    minResidency: minResidency === undefined ? milliseconds(0) : readDuration(minResidency),
    fairAfter: fairAfter === undefined ? DEFAULT_FAIR_AFTER : readDuration(fairAfter),
  };
  const site = document.siteOfValue(['metadata', 'name']);
  return { ...EMPTY, pools: [{ pool, defaults: decodeLayer(spec.defaults), site }] };
}

const CLUSTER_ONLY = 'it matters in a cluster only';

const listWithoutEffect = (document: YamlDocument): WithoutEffect[] =>
  [...walk(document.value)]
    .filter(({ path }) => isClusterOnly(path))
    .map(({ path }) => ({ file: document.siteOfValue(path).file, field: formatField(path), reason: CLUSTER_ONLY }));

const refuse = (problems: readonly Problem[]): DecodedManifests => ({ ...EMPTY, problems });

function refuseKind(document: YamlDocument, kind: unknown): DecodedManifests {
  const near = typeof kind === 'string' ? suggest(kind, ['ModelDeployment', 'ModelPool']) : {};
  const reason = 'corral serve reads ModelDeployment and ModelPool only';
  return refuse([{ ...document.siteOfValue(['kind']), reason, ...near }]);
}

function decodeObject(document: YamlDocument): DecodedManifests {
  const { value } = document;
  const kind = readMember(value, 'kind');
  if (kind !== 'ModelDeployment' && kind !== 'ModelPool') return refuseKind(document, kind);
  if (readMember(value, 'apiVersion') !== API_VERSION) {
    // Another project has a kind of the same name, with other fields: nothing more can be said about it.
    return refuse([{ ...document.siteOfValue(['apiVersion']), reason: `must be ${API_VERSION}` }]);
  }
  const problems = checkManifest(document, kind === 'ModelPool' ? ModelPoolSchema : ModelDeploymentSchema);
  if (problems.length > 0) return refuse(problems);
  if (Value.Check(ModelDeploymentSchema, value)) return decodeDeployment(value, document);
  if (Value.Check(ModelPoolSchema, value)) return decodePool(value, document);
  throw new Error(`${formatPlace(document.siteOfValue([]))}: the check of a manifest missed a fault`);
}

/**
 * Reads manifests: YAML with ModelDeployment (modeldeployments.corral.dev) and ModelPool (modelpools.corral.dev) objects.
 * An unknown field is refused, as in a cluster; one that this version cannot honour is refused with the reason; one that
 * matters in a cluster only is listed in `withoutEffect`. An object with a problem is left out, and all its problems named.
 */
export function decodeManifests(text: string, file: string): DecodedManifests {
  const { documents, problems } = readYaml(text, file);
  const objects = documents.map((document) => ({
    ...decodeObject(document),
    withoutEffect: listWithoutEffect(document),
  }));
  const nothing = objects.length === 0 && problems.length === 0;
  return {
    deployments: objects.flatMap(({ deployments }) => deployments),
    pools: objects.flatMap(({ pools }) => pools),
    withoutEffect: objects.flatMap(({ withoutEffect }) => withoutEffect),
    problems: [
      ...problems,
      ...objects.flatMap((object) => object.problems),
      ...(nothing ? [{ file, reason: 'the file holds neither a ModelDeployment nor a ModelPool' }] : []),
    ],
  };
}
