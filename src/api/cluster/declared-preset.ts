import { modelName, poolName, type ModelName } from '../../domain/ids.ts';
import type { Preset, QueueLimits, Variant } from '../../domain/preset.ts';
import { DEFAULT_PRIORITY, readDuration } from '../decode-settings.ts';
import type { ManifestDefaults, ManifestPreset, ManifestSource } from '../model-deployment-schema.ts';
import { DEFAULT_QUEUE } from '../preset-draft.ts';
import type { ClusterDeployment } from './decode-objects.ts';
import { memoize } from '../../domain/memoize.ts';
import { type Layers, mergeLayerScaling } from './merge-layers.ts';
import { clusterPresetUid, clusterServes, type ModelFile, type ModelSource } from './pod-settings.ts';
import { formatObject } from './verdict.ts';

/** A preset as its ModelDeployment declares it, with the layers that it inherits from. */
export interface DeclaredPreset {
  readonly deployment: ClusterDeployment;
  readonly preset: ManifestPreset;
  /** Every name, the model's first, each once. */
  readonly names: readonly ModelName[];
  /** Of pool, object and preset, the weakest first. */
  readonly layers: Layers;
}

/** All that holds of a preset whatever runs it, and whatever room its pool has. */
export type DeclaredSettings = Omit<Preset, 'launch' | 'rendered' | 'footprint'>;

const modelOf = ({ name, model }: ManifestPreset): string => (model === undefined ? name : model);

const variantsOf = ({ variants = [] }: ManifestPreset): Variant[] =>
  variants.map(({ model, parameters }) => ({ name: modelName(model), parameters: JSON.stringify(parameters) }));

/** The names that a preset declares. */
export const namesOf = memoize((preset: ManifestPreset): readonly ModelName[] => [
  ...new Set(
    [modelOf(preset), ...(preset.aliases ?? []), ...variantsOf(preset).map(({ name }) => name)].map(modelName),
  ),
]);

/** What a ModelDeployment declares; nothing if its spec cannot be read. */
export function listDeclared(
  deployment: ClusterDeployment,
  poolDefaults: ManifestDefaults | undefined,
): DeclaredPreset[] {
  const { decoded } = deployment;
  if (decoded.kind === 'invalid') return [];
  const { defaults, presets } = decoded.spec;
  return presets.map((preset) => ({
    deployment,
    preset,
    names: namesOf(preset),
    layers: [poolDefaults, defaults, preset],
  }));
}

/** Where its model comes from. Throws for a source that the check of the object refuses. */
export function sourceOf({ path, persistentVolumeClaim, huggingFace, image, url }: ManifestSource): ModelSource {
  if (path !== undefined) return { kind: 'path', path };
  if (persistentVolumeClaim !== undefined) return { kind: 'persistentVolumeClaim', ...persistentVolumeClaim };
  if (image !== undefined) return { kind: 'image', ...image };
  if (url !== undefined) return { kind: 'url', url: url.url, sha256: url.sha256 };
  if (huggingFace === undefined) throw new Error('unchecked source of a preset');
  const { repo, quant, tokenSecretRef } = huggingFace;
  return { kind: 'huggingFace', repo, quant, tokenSecretRef };
}

/** Its further files, in their order. Throws as `sourceOf`. */
export const filesOf = ({ files = [] }: ManifestPreset): ModelFile[] =>
  files.map(({ arg, source }) => ({ arg, source: sourceOf(source) }));

function queueOf({ queue }: ManifestPreset): QueueLimits {
  const { maxWaiting = DEFAULT_QUEUE.maxWaiting, maxWait } = queue ?? {};
  return { maxWaiting, maxWait: maxWait === undefined ? DEFAULT_QUEUE.maxWait : readDuration(maxWait) };
}

/** The name that its llama-server goes by, also where that name belongs to another preset. */
export const aliasOf = ({ preset }: DeclaredPreset): string => modelOf(preset);

export const priorityOf = ({ preset: { priority = DEFAULT_PRIORITY } }: DeclaredPreset): number => priority;

/** What holds of a preset under the names that it was granted; `undefined`: it has none, and no request reaches it. */
export function settle(declared: DeclaredPreset, granted: readonly ModelName[]): DeclaredSettings | undefined {
  const [model, ...more] = granted;
  if (model === undefined) return undefined;
  const { deployment, preset, layers } = declared;
  const variants = variantsOf(preset).filter(({ name }) => granted.includes(name));
  return {
    uid: clusterPresetUid(deployment.ref.uid, preset.name),
    model,
    aliases: more.filter((alias) => variants.every(({ name }) => name !== alias)),
    variants,
    tags: preset.tags ?? [],
    pool: poolName(deployment.pool),
    priority: priorityOf(declared),
    serves: clusterServes(modelOf(preset), sourceOf(preset.source), filesOf(preset)),
    scaling: mergeLayerScaling(layers),
    queue: queueOf(preset),
    origin: { kind: 'manifest', file: '', object: formatObject(deployment.ref) },
  };
}
