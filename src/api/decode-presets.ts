import type { Duration } from '../domain/units.ts';
import { findNameFault } from './check-model-name.ts';
import { parseSecondsOrDuration } from './duration-text.ts';
import { type ArgItem, type FoundOption, OPTION_KEYS, findOption, longName, splitValues } from './llama-options.ts';
import type { IniEntry, IniSection, ParsedIni } from './parse-presets-ini.ts';
import type { Problem, Site, WithoutEffect } from './problem.ts';
import { findRefusal } from './reserved-options.ts';
import { UNKNOWN, fixUnknown } from './unknown-option.ts';

/** A name and where it stands. */
export interface SitedName {
  readonly name: string;
  readonly site: Site;
}

/** What a section sets. A key that is missing is inherited. */
export interface PresetSettings {
  readonly args: readonly ArgItem[];
  readonly aliases?: readonly SitedName[];
  readonly tags?: readonly string[];
  readonly loadOnStartup?: boolean;
  readonly stopTimeout?: Duration;
  readonly idleTimeout?: Duration;
  readonly loadTimeout?: Duration;
}

export interface PresetSection {
  readonly name: string;
  readonly site: Site;
  readonly settings: PresetSettings;
}

export interface DecodedPresets {
  readonly file: string;
  /** What `[*]` sets for every model. */
  readonly global: PresetSettings;
  readonly sections: readonly PresetSection[];
  readonly withoutEffect: readonly WithoutEffect[];
  readonly problems: readonly Problem[];
}

type Fault = Pick<Problem, 'reason' | 'fix'>;
/** What one key sets, or why it cannot. */
type Decoded =
  | { readonly kind: 'set'; readonly settings: Partial<PresetSettings> }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly fault: Fault };
type DecodeKey = (entry: IniEntry, file: string) => Decoded;

const TRUE = new Set(['true', '1', 'on', 'enabled']);
const FALSE = new Set(['false', '0', 'off', 'disabled']);

/** llama-server takes every other word for true; here it is a mistake. */
const parseBoolean = (text: string): boolean | undefined =>
  TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;

const set = (settings: Partial<PresetSettings>): Decoded => ({ kind: 'set', settings });
const fault = (reason: string, fix?: string): Decoded => ({
  kind: 'fault',
  fault: fix === undefined ? { reason } : { reason, fix },
});
const notBoolean = (value: string): Decoded => fault(`'${value}' is neither true nor false`, 'Write true or false.');

const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function decodeAliases({ key, value, line }: IniEntry, file: string): Decoded {
  const names = splitList(value);
  const bad = names.map(findNameFault).find((reason) => reason !== undefined);
  if (bad !== undefined) return fault(bad);
  return set({ aliases: names.map((name) => ({ name, site: { file, line, field: key } })) });
}

function decodeBoolean(value: string, use: (on: boolean) => Decoded): Decoded {
  const on = parseBoolean(value);
  return on === undefined ? notBoolean(value) : use(on);
}

function decodeDuration(value: string, use: (duration: Duration) => Partial<PresetSettings>): Decoded {
  const duration = parseSecondsOrDuration(value);
  if (duration !== undefined) return set(use(duration));
  return fault(`'${value}' is no length of time up to 480h`, 'Write seconds, or for instance 90s, 15m or 1h30m.');
}

function decodeLoadTimeout({ value }: IniEntry): Decoded {
  const decoded = decodeDuration(value, (loadTimeout) => ({ loadTimeout }));
  const isZero = decoded.kind === 'set' && decoded.settings.loadTimeout === 0;
  return isZero ? fault('no model loads within no time', 'Write for instance 10m.') : decoded;
}

/**
 * Keys that are no option of llama-server's child. `alias`, `tags`, `load-on-startup`, `stop-timeout` (seconds),
 * `dedup-cache-models` and `version` are llama-server's router's; `idle-timeout` and `load-timeout` are Corral's own, which
 * llama-server refuses: seconds, or a duration such as 15m.
 */
const KEYS: ReadonlyMap<string, DecodeKey> = new Map<string, DecodeKey>([
  ['version', () => ({ kind: 'nothing' })],
  ['alias', decodeAliases],
  ['tags', ({ value }) => set({ tags: splitList(value) })],
  ['load-on-startup', ({ value }) => decodeBoolean(value, (loadOnStartup) => set({ loadOnStartup }))],
  ['stop-timeout', ({ value }) => decodeDuration(value, (stopTimeout) => ({ stopTimeout }))],
  ['dedup-cache-models', ({ value }) => decodeBoolean(value, () => ({ kind: 'nothing' }))],
  ['idle-timeout', ({ value }) => decodeDuration(value, (idleTimeout) => ({ idleTimeout }))],
  ['load-timeout', decodeLoadTimeout],
]);

function makeItem(found: FoundOption, value: string): ArgItem | Fault {
  const { option, negated } = found;
  if (option.values === 0) {
    const on = parseBoolean(value);
    if (on === undefined) return { reason: `'${value}' is neither true nor false`, fix: 'Write true or false.' };
    return { kind: 'flag', option, on: on !== negated };
  }
  const values = splitValues(option, value);
  return values === undefined
    ? { reason: `the option needs ${option.values} values`, fix: 'Write them with a blank between.' }
    : { kind: 'values', option, values };
}

function decodeOption(found: FoundOption, entry: IniEntry): Decoded {
  if (found.negated && found.by === 'env') {
    const key = found.option.negatives.slice(-1).join('').replace(/^-+/u, '');
    return fault('llama-server takes this key for its opposite', `Write ${key} = true.`);
  }
  const item = makeItem(found, entry.value);
  if ('reason' in item) return { kind: 'fault', fault: item };
  const refused = findRefusal(item, 'presets file');
  return refused === undefined ? set({ args: [item] }) : fault(refused.reason, refused.fix);
}

/** The key under which an entry is known: each spelling of one option gives the same. */
function canonicalKey(entry: IniEntry): string {
  const found = findOption(entry.key);
  return found === undefined ? entry.key : longName(found.option).replace(/^-+/u, '');
}

function decodeEntry(entry: IniEntry, file: string): Decoded {
  const decodeKey = KEYS.get(canonicalKey(entry));
  if (decodeKey !== undefined) return decodeKey(entry, file);
  const found = findOption(entry.key);
  if (found !== undefined) return decodeOption(found, entry);
  return fault(UNKNOWN, fixUnknown(entry.key, [...OPTION_KEYS, ...KEYS.keys()], "Corral's environment"));
}

/** In llama-server the last of them wins silently. */
function findRepeated(section: IniSection, file: string): Problem[] {
  const byKey = Map.groupBy(section.entries, canonicalKey);
  return [...byKey.values()].flatMap(([first, ...more]) =>
    more.map((entry) => ({
      file,
      line: entry.line,
      field: entry.key,
      reason: `line ${String(first?.line)} sets the same option in this section`,
      fix: 'Keep one; several values of one option are separated by commas.',
    })),
  );
}

interface SectionResult {
  readonly settings: PresetSettings;
  readonly problems: readonly Problem[];
}

function decodeSection(section: IniSection, file: string): SectionResult {
  let settings: PresetSettings = { args: [] };
  const problems: Problem[] = findRepeated(section, file);
  for (const entry of section.entries) {
    const decoded = decodeEntry(entry, file);
    if (decoded.kind === 'fault') problems.push({ file, line: entry.line, field: entry.key, ...decoded.fault });
    if (decoded.kind === 'set') {
      settings = { ...settings, ...decoded.settings, args: [...settings.args, ...(decoded.settings.args ?? [])] };
    }
  }
  return { settings, problems };
}

const GLOBAL = '*';

/** A name given to every model is given to none. */
function checkGlobal({ settings }: SectionResult): Problem[] {
  const reason = 'every model would have the same alias';
  return (settings.aliases ?? []).slice(0, 1).map(({ site }) => ({ ...site, reason, fix: 'Move it under a [model].' }));
}

function checkSectionName({ name, line }: IniSection, file: string): Problem[] {
  const reason = name === GLOBAL ? undefined : findNameFault(name);
  return reason === undefined ? [] : [{ file, line, field: `[${name}]`, reason }];
}

const listWithoutEffect = (parsed: ParsedIni): WithoutEffect[] =>
  parsed.sections.flatMap(({ name, entries }) =>
    entries
      .filter(({ key }) => key === 'dedup-cache-models')
      .map(({ key }) => ({ file: parsed.file, field: `[${name}] ${key}`, reason: 'corral lists no cached models' })),
  );

/** A section that comes twice is told by its form already: what follows from that is not told, too. */
const mergeRepeated = (sections: readonly PresetSection[]): PresetSection[] =>
  [...Map.groupBy(sections, ({ name }) => name).values()].map((same) => same.reduce(mergeTwo));

const mergeTwo = (first: PresetSection, { settings }: PresetSection): PresetSection => ({
  ...first,
  settings: { ...first.settings, ...settings, args: [...first.settings.args, ...settings.args] },
});

/** Turns the sections of a presets file into settings. Every fault of every key is reported, with its line. */
export function decodePresets(parsed: ParsedIni): DecodedPresets {
  const { file } = parsed;
  const decoded = parsed.sections.map((section) => ({ section, result: decodeSection(section, file) }));
  const global = decoded.find(({ section }) => section.name === GLOBAL)?.result;
  return {
    file,
    global: global?.settings ?? { args: [] },
    sections: mergeRepeated(
      decoded
        .filter(({ section }) => section.name !== GLOBAL)
        .map(({ section: { name, line }, result }) => ({
          name,
          site: { file, line, field: `[${name}]` },
          settings: result.settings,
        })),
    ),
    withoutEffect: listWithoutEffect(parsed),
    problems: [
      ...parsed.problems,
      ...parsed.sections.flatMap((section) => checkSectionName(section, file)),
      ...decoded.flatMap(({ result }) => result.problems),
      ...(global === undefined ? [] : checkGlobal(global)),
    ].sort((a, b) => Number(a.line) - Number(b.line)),
  };
}
