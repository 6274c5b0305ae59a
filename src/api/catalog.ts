import { createHash } from 'node:crypto';
import { type PresetUid, modelName, poolName } from '../domain/ids.ts';
import { WHOLE_POOL } from '../domain/pool.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import { milliseconds } from '../domain/units.ts';
import { type DecodedManifests, type DecodedPool, decodeManifests } from './decode-manifests.ts';
import { type SitedName, decodePresets } from './decode-presets.ts';
import { DEFAULT_EVICTION, DEFAULT_FAIR_AFTER, DEFAULT_POOL, DEFAULT_PRIORITY } from './decode-settings.ts';
import { draftLocalPresets } from './draft-local-presets.ts';
import { draftManifestPresets } from './draft-manifest-presets.ts';
import { findMissingPools } from './find-missing-pools.ts';
import { findOvercommitted, type SizedDraft } from './find-overcommitted.ts';
import { findUncounted } from './find-uncounted.ts';
import { type ArgItem, isModelSource, renderArgs } from './llama-options.ts';
import { judgeUnread } from './judge-unread.ts';
import { namesPartOfAnswer } from './model-files.ts';
import { type LimitedPool, sizeDrafts } from './size-drafts.ts';
import { parsePresetsIni } from './parse-presets-ini.ts';
import { DEFAULT_MAX_LOADED, type CatalogSettings, type PresetDraft } from './preset-draft.ts';
import { type Problem, type Site, type Warning, type WithoutEffect, formatSite } from './problem.ts';
import type { Sources } from './read-sources.ts';
import { settleAliases } from './settle-aliases.ts';

/** What is to be told of declarations beside the verdict. */
export interface Notes {
  readonly withoutEffect: readonly WithoutEffect[];
  readonly warnings: readonly Warning[];
}

export type CatalogResult =
  | (Notes & { readonly ok: true; readonly catalog: Catalog })
  | (Notes & { readonly ok: false; readonly problems: readonly Problem[] });

export interface CatalogInput {
  readonly sources: Sources;
  readonly settings: CatalogSettings;
  /** What was declared before: a preset that stays keeps its uid. */
  readonly previous: Catalog | undefined;
}

function decodeAll(sources: Sources): DecodedManifests {
  const decoded = sources.manifests.map(({ file, text }) => decodeManifests(text, file));
  return {
    deployments: decoded.flatMap(({ deployments }) => deployments),
    pools: decoded.flatMap(({ pools }) => pools),
    documents: decoded.flatMap(({ documents }) => documents),
    withoutEffect: decoded.flatMap(({ withoutEffect }) => withoutEffect),
    problems: decoded.flatMap(({ problems }) => problems),
  };
}

/** The pool of the program's flags, unless a manifest declares one of its name. */
function buildPools(declared: readonly DecodedPool[], { maxLoaded }: CatalogSettings): LimitedPool[] {
  const name = poolName(DEFAULT_POOL);
  if (declared.some(({ pool }) => pool.name === name)) return [...declared];
  const limit = maxLoaded === undefined ? DEFAULT_MAX_LOADED : maxLoaded;
  const bins = [{ name: WHOLE_POOL, size: undefined }];
  const flags = {
    name,
    maxLoaded: limit,
    bins,
    eviction: DEFAULT_EVICTION,
    paused: false,
    minResidency: milliseconds(0),
    fairAfter: DEFAULT_FAIR_AFTER,
  };
  return [{ pool: flags, maxPriority: DEFAULT_PRIORITY }, ...declared];
}

/** A limit on the command line says nothing about a pool that a manifest declares. */
function findUnusedFlags(declared: readonly DecodedPool[], { maxLoaded }: CatalogSettings): WithoutEffect[] {
  const own = declared.find(({ pool }) => pool.name === poolName(DEFAULT_POOL));
  if (maxLoaded === undefined || own === undefined) return [];
  const reason = `${formatSite(own.site)} declares the pool ${DEFAULT_POOL} and its limit`;
  return [{ file: 'command line', field: '--models-max', reason }];
}

/** One problem for each thing whose key an earlier one has. */
function findRepeated<T>(
  things: readonly T[],
  key: (thing: T) => string,
  explain: (thing: T, earlier: T) => Problem,
): Problem[] {
  return [...Map.groupBy(things, key).values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : more.map((thing) => explain(thing, first)),
  );
}

function findRepeatedObjects({ deployments, pools }: DecodedManifests): Problem[] {
  const explain =
    (kind: string) =>
    ({ site }: { readonly site: Site }, earlier: { readonly site: Site }): Problem => ({
      ...site,
      reason: `${formatSite(earlier.site)} declares this ${kind} already`,
      fix: 'Rename or remove one.',
    });
  return [
    ...findRepeated(deployments, ({ object }) => object, explain('ModelDeployment')),
    ...findRepeated(pools, ({ pool }) => pool.name, explain('ModelPool')),
  ];
}

/** A preset's names, each once: saying one's own name again is harmless. */
function namesOf({ model, aliases, variants }: PresetDraft): SitedName[] {
  return [...Map.groupBy([model, ...aliases, ...variants], ({ name }) => name).values()].flatMap(([first]) =>
    first === undefined ? [] : [first],
  );
}

const findRepeatedNames = (drafts: readonly PresetDraft[]): Problem[] =>
  findRepeated(
    drafts.flatMap(namesOf),
    ({ name }) => name,
    ({ name, site }, earlier) => ({
      ...site,
      reason: `the name '${name}' is taken by ${formatSite(earlier.site)}`,
      fix: 'A name may stand for one model only: rename one.',
    }),
  );

/** Hash of what a replica runs. Aliases, variants, tags, scaling and the stop timeout change without a new one. */
function hashRendered(args: readonly string[], env: ReadonlyMap<string, string>): string {
  const variables = [...env].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([args, variables]))
    .digest('hex');
}

/** Hash of which model a replica answers with: where it comes from, and its name. */
export const hashServes = (model: string, source: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([model, source]))
    .digest('hex');

const decidesAnswer = ({ option }: ArgItem): boolean => isModelSource(option) || namesPartOfAnswer(option);

/**
 * What a declaration is known by: the model's name, and the object or the kind of source that declares it. A section over a
 * model of the folder is known by both: the model stays when its section comes or goes, and the section when it names a model.
 */
const identities = ({ kind, object, overlays }: Preset['origin'], model: string): string[] =>
  [kind, ...(overlays === undefined ? [] : [overlays])].map((source) => JSON.stringify([source, object, model]));

function finish({ draft, footprint }: SizedDraft, uid: PresetUid): Preset {
  const [, ...aliases] = namesOf({ ...draft, variants: [] });
  const args = renderArgs(draft.args);
  const { tags, pool, env, stopTimeout, scaling, queue, origin } = draft;
  return {
    uid,
    model: modelName(draft.model.name),
    aliases: aliases.map(({ name }) => modelName(name)),
    variants: draft.variants.map(({ name, parameters }) => ({ name: modelName(name), parameters })),
    tags,
    pool,
    footprint,
    priority: draft.priority.value,
    launch: { args, env, stopTimeout },
    rendered: hashRendered(args, env),
    serves: hashServes(draft.model.name, renderArgs(draft.args.filter(decidesAnswer))),
    scaling,
    queue,
    origin,
  };
}

function finishAll(sized: readonly SizedDraft[], previous: Catalog | undefined, newUid: () => PresetUid): Preset[] {
  const before = previous === undefined ? [] : previous.presets;
  const uids = new Map(
    before.flatMap(({ uid, model, origin }) => identities(origin, model).map((identity) => [identity, uid])),
  );
  return sized.map((one) => {
    const own = identities(one.draft.origin, one.draft.model.name);
    const known = own.map((identity) => uids.get(identity)).find((uid) => uid !== undefined);
    return finish(one, known === undefined ? newUid() : known);
  });
}

/**
 * Builds everything that is declared, or names all that is wrong with it: then nothing of it is used. `newUid` is called once
 * for each preset that `previous` does not have under its model's name and from the same kind of source (of manifests: from
 * the same object; a section over a model of the folder is of both kinds), so that one that was removed and comes back is
 * another.
 */
export function buildCatalog({ sources, settings, previous }: CatalogInput, newUid: () => PresetUid): CatalogResult {
  const { presets: file, modelsDir } = sources;
  const presets = file === undefined ? undefined : decodePresets(parsePresetsIni(file.text, file.file));
  const manifests = decodeAll(sources);
  const local = draftLocalPresets(presets, modelsDir, settings);
  const declared = draftManifestPresets(manifests.deployments, manifests.pools, settings);
  const settled = settleAliases([...local.drafts, ...declared]);
  const limited = buildPools(manifests.pools, settings);
  const pools = limited.map(({ pool }) => pool);
  const room = sizeDrafts(settled.drafts, limited);
  const unread = judgeUnread(modelsDir === undefined ? [] : modelsDir.unread, previous);
  const problems = [
    ...sources.problems,
    ...unread.problems,
    ...(presets === undefined ? [] : presets.problems),
    ...local.problems,
    ...manifests.problems,
    ...findRepeatedObjects(manifests),
    ...findRepeatedNames(settled.drafts),
    ...room.problems,
    ...findOvercommitted(room.sized, pools),
  ];
  const parts = [modelsDir, presets, settled, manifests].filter((part) => part !== undefined);
  const withoutEffect = [
    ...parts.flatMap((part) => part.withoutEffect),
    ...unread.withoutEffect,
    ...findUncounted(manifests),
    ...findUnusedFlags(manifests.pools, settings),
  ];
  const warnings = [...(modelsDir === undefined ? [] : modelsDir.warnings), ...findMissingPools(manifests.documents)];
  if (problems.length > 0) return { ok: false, problems, withoutEffect, warnings };
  return { ok: true, catalog: { pools, presets: finishAll(room.sized, previous, newUid) }, withoutEffect, warnings };
}
