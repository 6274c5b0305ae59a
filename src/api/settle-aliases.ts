import type { SitedName } from './decode-presets.ts';
import type { PresetDraft } from './preset-draft.ts';
import { type WithoutEffect, formatSite } from './problem.ts';

/** Drafts whose aliases are final. */
export interface SettledDrafts {
  readonly drafts: readonly PresetDraft[];
  readonly withoutEffect: readonly WithoutEffect[];
}

/** A name that a draft has, or would get. */
interface Claim extends SitedName {
  readonly draft: PresetDraft;
}
type Claims = ReadonlyMap<string, readonly Claim[]>;

const namesWritten = ({ model, aliases, variants }: PresetDraft): SitedName[] => [model, ...aliases, ...variants];

/** Written names come first, so that a note names the one that somebody wrote. */
function collectClaims(drafts: readonly PresetDraft[]): Claims {
  const claim = (namesOf: (draft: PresetDraft) => readonly SitedName[]): Claim[] =>
    drafts.flatMap((draft) => namesOf(draft).map(({ name, site }) => ({ name, site, draft })));
  return Map.groupBy([...claim(namesWritten), ...claim(({ invented }) => invented)], ({ name }) => name);
}

const findRival = (draft: PresetDraft, { name }: SitedName, claims: Claims): Claim | undefined =>
  claims.get(name)?.find((claim) => claim.draft !== draft);

/** What it says itself is not invented, whoever else claims it. */
function inventedOnly(draft: PresetDraft): SitedName[] {
  const written = new Set(namesWritten(draft).map(({ name }) => name));
  return draft.invented.filter(({ name }) => !written.has(name));
}

function settle(draft: PresetDraft, claims: Claims): PresetDraft {
  const free = inventedOnly(draft).filter((alias) => findRival(draft, alias, claims) === undefined);
  return { ...draft, aliases: [...draft.aliases, ...free], invented: [] };
}

const listDropped = (draft: PresetDraft, claims: Claims): WithoutEffect[] =>
  inventedOnly(draft).flatMap((alias) => {
    const rival = findRival(draft, alias, claims);
    if (rival === undefined) return [];
    const field = `llama-server's name ${alias.name} for [${draft.model.name}]`;
    return [{ file: alias.site.file, field, reason: `${formatSite(rival.site)} has the same` }];
  });

/**
 * Gives each draft the aliases that were invented for it and that no other draft has or would get: nobody asked for them, so
 * that they take no name from one who wrote it, and one that would stand for several stands for none.
 */
export function settleAliases(drafts: readonly PresetDraft[]): SettledDrafts {
  const claims = collectClaims(drafts);
  return {
    drafts: drafts.map((draft) => settle(draft, claims)),
    withoutEffect: drafts.flatMap((draft) => listDropped(draft, claims)),
  };
}
