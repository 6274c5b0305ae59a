import type { PresetUid } from '../domain/ids.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import type { RouteSource } from '../routing/build-route-table.ts';
import { standingOf, type StandingNotes } from './standing-of.ts';

/** One declared preset, its replicas, and how it stands with the planner. */
export interface PresetView extends RouteSource {
  readonly preset: Preset;
}

/** What is noted of presets beside the catalog. */
export type ViewNotes = Omit<StandingNotes, 'pools'>;

type Groups = ReadonlyMap<PresetUid, readonly Replica[]>;

/**
 * Views of all presets. Of thousands few do anything: the view of one of which nothing is noted is the very same value as long
 * as it is so under the same catalog, so that what was made of it need not be made anew.
 */
export class PresetViews {
  #catalog: Catalog | undefined;
  #places: ReadonlyMap<PresetUid, number> = new Map();
  /** Of all presets of the catalog, as if nothing were noted of any. */
  #quiet: readonly PresetView[] = [];

  /** In the order of the catalog. */
  look(catalog: Catalog, replicas: readonly Replica[], notes: ViewNotes): readonly PresetView[] {
    if (this.#catalog !== catalog) this.#begin(catalog, notes);
    const views = [...this.#quiet];
    const groups = Map.groupBy(replicas, ({ preset }) => preset);
    const pools = poolsOf(catalog);
    for (const uid of notedUids(groups, notes)) {
      const place = this.#places.get(uid);
      const quiet = place === undefined ? undefined : views[place];
      if (place === undefined || quiet === undefined) continue;
      views[place] = viewOf(quiet.preset, groups, { ...notes, pools });
    }
    return views;
  }

  #begin(catalog: Catalog, { words }: ViewNotes): void {
    const notes = { ...NOTHING_NOTED, pools: poolsOf(catalog), words };
    this.#catalog = catalog;
    this.#places = new Map(catalog.presets.map(({ uid }, place) => [uid, place]));
    this.#quiet = catalog.presets.map((preset) => viewOf(preset, new Map(), notes));
  }
}

const NOTHING_NOTED: Omit<ViewNotes, 'words'> = {
  orders: new Map(),
  backOffs: new Map(),
  rejections: new Map(),
  loads: new Map(),
  blocked: new Map(),
};

/** Everything that a view is made of must be looked for here: what is missing would not be seen. */
function notedUids(groups: Groups, { orders, backOffs, rejections, loads, blocked }: ViewNotes): Set<PresetUid> {
  const uids = new Set<PresetUid>();
  for (const notes of [groups, orders, backOffs, rejections, loads, blocked])
    for (const uid of notes.keys()) uids.add(uid);
  return uids;
}

const poolsOf = ({ pools }: Catalog): StandingNotes['pools'] => new Map(pools.map((pool) => [pool.name, pool]));

function viewOf(preset: Preset, groups: Groups, notes: StandingNotes): PresetView {
  const own = groups.get(preset.uid);
  return { preset, replicas: own === undefined ? [] : own, standing: standingOf(preset, notes) };
}
