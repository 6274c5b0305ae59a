import type { Scaling } from '../../domain/preset.ts';
import { type Duration, minutes } from '../../domain/units.ts';
import { decodeScaling, readDuration } from '../decode-settings.ts';
import { type ArgItem, mergeArgs, renderArgs } from '../llama-options.ts';
import { mergeScaling } from '../merge-scaling.ts';
import type { ManifestDefaults } from '../model-deployment-schema.ts';
import { withoutFilesOf } from '../model-files.ts';
import { slotsOf } from '../parallel-slots.ts';
import { defaultScaling } from '../preset-draft.ts';
import { mergeQuantities, type Quantities } from '../quantity.ts';
import { toJsonMap } from './json-value.ts';
import { mergePodParts } from './merge-pod-parts.ts';
import { type ClusterArg, parseClusterArg } from './parse-cluster-arg.ts';
import type { EnvItem, ModelFile, PodPart, PodResources } from './pod-settings.ts';

/** What a preset inherits and says itself, merged. */
export interface MergedLayers {
  /** `undefined`: no layer names one. */
  readonly image: string | undefined;
  /** Rendered, without the model's source and what Corral sets; or what is wrong with one of them. */
  readonly args: MergedArgs;
  readonly env: readonly EnvItem[];
  readonly resources: PodResources;
  readonly pod: PodPart;
  readonly provisionTimeout: Duration;
}

export type MergedArgs =
  { readonly kind: 'args'; readonly args: readonly string[] } | { readonly kind: 'fault'; readonly message: string };

/** The weakest first: defaults of the pool, defaults of the object, the preset. */
export type Layers = readonly (ManifestDefaults | undefined)[];

/** A model nobody asks for goes back to zero, unless somebody says otherwise. */
const IDLE_TIMEOUT = minutes(15);
const PROVISION_TIMEOUT = minutes(30);

const present = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value) => value !== undefined);

const setIn = <T>(layers: Layers, read: (layer: ManifestDefaults) => T | undefined): T[] =>
  present(present(layers).map(read));

/** The strongest layer that says anything. */
const strongest = <T>(layers: Layers, read: (layer: ManifestDefaults) => T | undefined): T | undefined =>
  setIn(layers, read).at(-1);

/** When it is loaded and unloaded: also an edge needs to know. */
export const mergeLayerScaling = (layers: Layers): Scaling =>
  mergeScaling(
    defaultScaling({ idleTimeout: IDLE_TIMEOUT, autoload: true }),
    setIn(layers, ({ scaling }) => scaling).map(decodeScaling),
    slotsOf(slotItems(layers), valuesOf(mergeEnv(layers))),
  );

/** The strongest last. An edge asks for this of every preset: nothing else is parsed for it. */
const slotItems = (layers: Layers): ArgItem[] =>
  itemsOf(
    setIn(layers, ({ args }) => args)
      .flat()
      .filter((arg) => arg.startsWith('--parallel'))
      .map(parseClusterArg),
  );

function mergeAllArgs(layers: Layers, files: readonly ModelFile[]): MergedArgs {
  const parsed = setIn(layers, ({ args }) => args).map((args) => args.map(parseClusterArg));
  const fault = parsed.flat().find((arg) => arg.kind === 'fault');
  if (fault !== undefined) return fault;
  return { kind: 'args', args: renderArgs(withoutFilesOf(mergeArgs(...parsed.map(itemsOf)), files)) };
}

/** Of those whose value stands here. */
const valuesOf = (env: readonly EnvItem[]): ReadonlyMap<string, string> =>
  new Map(env.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : [])));

const itemsOf = (args: readonly ClusterArg[]): ArgItem[] =>
  args.flatMap((arg) => (arg.kind === 'item' ? [arg.item] : []));

/** By name; the strongest wins and stands where the weakest stood, so that one variable more changes no order. */
const mergeEnv = (layers: Layers): EnvItem[] => [
  ...new Map(
    setIn(layers, ({ env }) => env)
      .flat()
      .map((item): [string, EnvItem] => [item.name, { ...toJsonMap(item), name: item.name }]),
  ).values(),
];

/** The most that a llama-server may take of its node. */
export const mergeLimits = (layers: Layers): Quantities | undefined =>
  mergeQuantities(setIn(layers, ({ resources }) => resources?.limits));

/** By resource: a preset that asks for more memory still gets the GPU that its object asks for. */
function mergeResources(layers: Layers): PodResources {
  const limits = mergeLimits(layers);
  const requests = mergeQuantities(setIn(layers, ({ resources }) => resources?.requests));
  const claims = setIn(layers, ({ resources }) => resources?.claims).flat();
  return {
    ...(limits === undefined ? {} : { limits }),
    ...(requests === undefined ? {} : { requests }),
    ...(claims.length === 0 ? {} : { claims: claims.map(toJsonMap) }),
  };
}

/** Merges what pool, object and preset say of a pod. Options that name what `files` names give way. */
export function mergeLayers(layers: Layers, files: readonly ModelFile[]): MergedLayers {
  const provision = strongest(layers, ({ scaling }) => scaling?.provisionTimeout);
  return {
    image: strongest(layers, ({ engine }) => engine?.image),
    args: mergeAllArgs(layers, files),
    env: mergeEnv(layers),
    resources: mergeResources(layers),
    pod: mergePodParts(setIn(layers, ({ pod }) => pod)),
    provisionTimeout: provision === undefined ? PROVISION_TIMEOUT : readDuration(provision),
  };
}
