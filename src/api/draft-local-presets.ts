import { poolName } from '../domain/ids.ts';
import type { Scaling } from '../domain/preset.ts';
import { DEFAULT_POOL, DEFAULT_PRIORITY } from './decode-settings.ts';
import type { DecodedPresets, PresetSection, PresetSettings, SitedName } from './decode-presets.ts';
import { type ArgItem, mergeArgs, namesModel } from './llama-options.ts';
import { valueItem } from './model-files.ts';
import {
  type CatalogSettings,
  DEFAULT_QUEUE,
  DEFAULT_STOP_TIMEOUT,
  type PresetDraft,
  defaultScaling,
} from './preset-draft.ts';
import { mergeScaling } from './merge-scaling.ts';
import { slotsOf } from './parallel-slots.ts';
import type { Problem, Site } from './problem.ts';
import type { FoundModel, ScannedDir } from './scan-models-dir.ts';

/** Presets of the models folder and the presets file, which have no object around them. */
export interface LocalDrafts {
  readonly drafts: readonly PresetDraft[];
  readonly problems: readonly Problem[];
}

/** A model before its layers are merged. */
interface Declared {
  readonly name: string;
  readonly site: Site;
  readonly origin: PresetDraft['origin'];
  readonly generated: readonly ArgItem[];
  readonly settings: PresetSettings;
}

const NO_SETTINGS: PresetSettings = { args: [] };

const pathItem = (name: string, path: string | undefined): ArgItem[] =>
  path === undefined ? [] : [valueItem(name, path)];

const generate = ({ model, mmproj, draft }: FoundModel): ArgItem[] => [
  ...pathItem('--model', model),
  ...pathItem('--mmproj', mmproj),
  ...pathItem('--spec-draft-model', draft),
];

/** The presets file comes first: a section of the same name speaks of the folder's model. */
function declare(presets: DecodedPresets | undefined, dir: ScannedDir | undefined): Declared[] {
  const sections = presets === undefined ? [] : presets.sections;
  const models = dir === undefined ? [] : dir.models;
  const named = new Set(sections.map(({ name }) => name));
  return [
    ...sections.map((section) => declareSection(section, models)),
    ...models
      .filter(({ name }) => !named.has(name))
      .map((model) => ({
        name: model.name,
        site: { file: model.model },
        origin: { kind: 'models_dir' as const, file: model.model },
        generated: generate(model),
        settings: NO_SETTINGS,
      })),
  ];
}

function declareSection({ name, site, settings }: PresetSection, models: readonly FoundModel[]): Declared {
  const found = models.filter((model) => model.name === name).slice(0, 1);
  const overlays = found.length > 0 && !settings.args.some(namesModel);
  return {
    name,
    site,
    origin: { kind: 'preset', file: site.file, ...(overlays ? { overlays: 'models_dir' } : {}) },
    generated: found.flatMap(generate),
    settings,
  };
}

/**
 * llama-server lists `[x:q4_k_m]` as `x:Q4_K_M` and keeps of a tag only what follows its last `-` or `.` (llama.cpp,
 * common/preset.cpp). Corral's names are what is written; the other spelling is an alias where it is free, so
 * that clients of both find it.
 */
function listedAs({ name, site }: Declared): SitedName[] {
  const at = name.lastIndexOf(':');
  if (at === -1) return [];
  const tag = name.slice(at + 1);
  const listed = `${name.slice(0, at + 1)}${(/[\-.]([a-z0-9_]+)$/iu.exec(tag)?.[1] ?? tag).toUpperCase()}`;
  return listed === name ? [] : [{ name: listed, site }];
}

function scalingOf({ idleTimeout, loadTimeout, loadOnStartup }: PresetSettings): Partial<Scaling> {
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(loadTimeout === undefined ? {} : { loadTimeout }),
    ...(loadOnStartup === undefined ? {} : { loadOnStartup }),
  };
}

function merge(declared: Declared, global: PresetSettings, flags: CatalogSettings): PresetDraft {
  const { name, site, origin, generated, settings } = declared;
  const merged = { ...global, ...settings };
  const args = mergeArgs(global.args, generated, settings.args, flags.args);
  return {
    model: { name, site },
    aliases: settings.aliases ?? [],
    invented: origin.kind === 'preset' ? listedAs(declared) : [],
    variants: [],
    tags: merged.tags ?? [],
    pool: poolName(DEFAULT_POOL),
    room: { value: { footprint: undefined, limits: undefined }, site },
    priority: { value: DEFAULT_PRIORITY, site },
    args,
    env: new Map(),
    stopTimeout: merged.stopTimeout ?? DEFAULT_STOP_TIMEOUT,
    scaling: mergeScaling(defaultScaling(flags), [scalingOf(merged)], slotsOf(args, new Map())),
    queue: DEFAULT_QUEUE,
    origin,
  };
}

/** Without a model the llama-server would start as a router itself and never be ready (llama.cpp #27351). */
function checkSource({ model, args }: PresetDraft): Problem[] {
  if (args.some(namesModel)) return [];
  const reason = 'the section names no model, and the models folder holds none of this name';
  return [{ ...model.site, reason, fix: 'Add model = PATH or hf-repo = USER/REPO:QUANT.' }];
}

/** Merges, the strongest first: command line, section, what the folder gives, `[*]`. */
export function draftLocalPresets(
  presets: DecodedPresets | undefined,
  dir: ScannedDir | undefined,
  flags: CatalogSettings,
): LocalDrafts {
  const global = presets === undefined ? NO_SETTINGS : presets.global;
  const drafts = declare(presets, dir).map((declared) => merge(declared, global, flags));
  // A folder that could not be read might have held the model.
  const unread = dir !== undefined && dir.problems.length > 0;
  return { drafts, problems: unread ? [] : drafts.flatMap(checkSource) };
}
