import { randomUUID } from 'node:crypto';
import { buildCatalog, type CatalogResult, type Notes } from '../api/catalog.ts';
import type { ArgItem } from '../api/llama-options.ts';
import { formatProblem } from '../api/problem.ts';
import type { CatalogSettings } from '../api/preset-draft.ts';
import { readSources, type SourcePaths } from '../api/read-sources.ts';
import { presetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import type { Log } from '../platform/log.ts';
import type { ServeFlags } from './serve-options.ts';

/** Reads all that is declared, as it is now. `previous` is what was declared before. */
export type ReadCatalog = (previous: Catalog | undefined) => Promise<CatalogResult>;

/** What the flags say about every model. */
export const settingsOf = (flags: ServeFlags, args: readonly ArgItem[]): CatalogSettings => ({
  args,
  idleTimeout: flags.idleTimeout,
  autoload: flags.modelsAutoload,
  maxLoaded: flags.modelsMax,
});

/** A reader of the sources that the flags name. */
export function catalogReader(paths: SourcePaths, flags: ServeFlags, args: readonly ArgItem[]): ReadCatalog {
  const settings = settingsOf(flags, args);
  return async (previous) =>
    buildCatalog({ sources: await readSources(paths), settings, previous }, () => presetUid(randomUUID()));
}

/** Says what was read and changes nothing, and what will come of what is hardly meant so. */
export function tellNotes({ withoutEffect, warnings }: Notes, log: Log): void {
  for (const warning of warnings) log.warn(formatProblem(warning));
  for (const { file, field, reason } of withoutEffect) log.warn(`${file}: ${field} has no effect`, { reason });
}

/** The sources that the flags name; `undefined`: none. */
export function namedSources({ modelsDir, modelsPreset, filename }: ServeFlags): SourcePaths | undefined {
  if (modelsDir === undefined && modelsPreset === undefined && filename.length === 0) return undefined;
  return { modelsDir, modelsPreset, manifests: filename };
}
