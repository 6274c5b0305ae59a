import type { DecodedDeployment, DecodedPool, DecodedPreset, Layer, Sited } from './decode-manifests.ts';
import type { DeclaredRoom } from './footprint.ts';
import { mergeArgs } from './llama-options.ts';
import { fileItems, withoutFilesOf } from './model-files.ts';
import { mergeScaling } from './merge-scaling.ts';
import { slotsOf } from './parallel-slots.ts';
import { mergeQuantities } from './quantity.ts';
import {
  type CatalogSettings,
  DEFAULT_QUEUE,
  DEFAULT_STOP_TIMEOUT,
  type PresetDraft,
  defaultScaling,
} from './preset-draft.ts';

const NO_LAYER: Layer = { args: [], env: new Map(), scaling: {}, limits: undefined };

/** Limits are merged by resource, as in a cluster. */
function roomOf({ footprint, model }: DecodedPreset, layers: readonly Layer[]): Sited<DeclaredRoom> {
  const limits = mergeQuantities(layers.flatMap((layer) => (layer.limits === undefined ? [] : [layer.limits.value])));
  return {
    value: { footprint: footprint?.value, limits },
    site: footprint === undefined ? model.site : footprint.site,
  };
}

function merge(
  deployment: DecodedDeployment,
  preset: DecodedPreset,
  below: Layer,
  flags: CatalogSettings,
): PresetDraft {
  const layers = [below, deployment.defaults, preset.layer];
  const inherited = mergeArgs(preset.source, ...layers.map((layer) => layer.args));
  const args = mergeArgs(withoutFilesOf(inherited, preset.files), fileItems(preset.files), flags.args);
  const env = new Map(layers.flatMap((layer) => [...layer.env]));
  const { maxWaiting = DEFAULT_QUEUE.maxWaiting, maxWait = DEFAULT_QUEUE.maxWait } = preset;
  return {
    model: preset.model,
    aliases: preset.aliases,
    invented: [],
    variants: preset.variants,
    tags: preset.tags,
    pool: deployment.pool,
    room: roomOf(preset, layers),
    priority: preset.priority,
    args,
    env,
    stopTimeout: DEFAULT_STOP_TIMEOUT,
    scaling: mergeScaling(
      defaultScaling(flags),
      layers.map((layer) => layer.scaling),
      slotsOf(args, env),
    ),
    queue: { maxWaiting, maxWait },
    origin: { kind: 'manifest', file: deployment.site.file, object: deployment.object },
  };
}

/**
 * Merges, the strongest first: command line, preset, defaults of its object, defaults of its pool. The defaults of a pool
 * that is not declared are nothing; that it is missing is the planner's to say.
 */
export function draftManifestPresets(
  deployments: readonly DecodedDeployment[],
  pools: readonly DecodedPool[],
  flags: CatalogSettings,
): PresetDraft[] {
  return deployments.flatMap((deployment) => {
    const pool = pools.find(({ pool: { name } }) => name === deployment.pool);
    const below = pool === undefined ? NO_LAYER : pool.defaults;
    return deployment.presets.map((preset) => merge(deployment, preset, below, flags));
  });
}
