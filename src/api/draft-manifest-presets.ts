import type { DecodedDeployment, DecodedPool, DecodedPreset, Layer } from './decode-manifests.ts';
import { mergeArgs } from './llama-options.ts';
import {
  type CatalogSettings,
  DEFAULT_QUEUE,
  DEFAULT_STOP_TIMEOUT,
  type PresetDraft,
  defaultScaling,
} from './preset-draft.ts';

const NO_LAYER: Layer = { args: [], env: new Map(), scaling: {} };

function merge(
  deployment: DecodedDeployment,
  preset: DecodedPreset,
  below: Layer,
  flags: CatalogSettings,
): PresetDraft {
  const layers = [below, deployment.defaults, preset.layer];
  const { maxWaiting = DEFAULT_QUEUE.maxWaiting, maxWait = DEFAULT_QUEUE.maxWait } = preset;
  return {
    model: preset.model,
    aliases: preset.aliases,
    tags: preset.tags,
    pool: deployment.pool,
    args: mergeArgs(preset.source, ...layers.map(({ args }) => args), flags.args),
    env: new Map(layers.flatMap(({ env }) => [...env])),
    stopTimeout: DEFAULT_STOP_TIMEOUT,
    scaling: layers.reduce((scaling, layer) => ({ ...scaling, ...layer.scaling }), defaultScaling(flags)),
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
