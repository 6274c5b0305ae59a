import type { Problem } from './problem.ts';
import { HEADER, findManifest, shorten } from './wrong-kind.ts';

export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

/** A presets file by its grammar: what keys and values mean is decided by `decodePresets`. */
export interface ParsedIni {
  readonly file: string;
  readonly sections: readonly IniSection[];
  readonly problems: readonly Problem[];
}

type Line =
  | { readonly kind: 'blank' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'entry'; readonly key: string; readonly value: string }
  | { readonly kind: 'fault'; readonly reason: string; readonly fix: string; readonly key?: string };

const BLANK = /^[ \t]*(?:[;#].*)?$/u;
const ENTRY = /^([A-Za-z_][A-Za-z0-9_.\-]*)[ \t]*=[ \t]*(.*)$/u;
const COMMENT = /[ \t]*[;#].*$/u;

function readEntry(key: string, text: string): Line {
  const value = text.replace(COMMENT, '').trimEnd();
  const cutInside = /[;#]/u.exec(text)?.index === value.length && value !== '';
  if (!cutInside) return { kind: 'entry', key, value };
  return {
    kind: 'fault',
    key,
    reason: 'the value holds ; or #, where llama-server cuts it off without a word',
    fix: 'Put a blank before a comment; write a value with ; or # in a manifest (corral serve -f).',
  };
}

function readFault(text: string): Line {
  if (/^[ \t]/u.test(text)) {
    const reason = 'the line is indented, which llama-server cannot read';
    return { kind: 'fault', reason, fix: 'Begin it in the first column.' };
  }
  if (text.startsWith('[')) return { kind: 'fault', reason: 'the section has no legal name', fix: 'Write [name].' };
  return {
    kind: 'fault',
    reason: 'the line is neither [section], key = value nor a comment',
    fix: 'Write key = value.',
  };
}

function readLine(text: string): Line {
  if (BLANK.test(text)) return { kind: 'blank' };
  const [, section] = HEADER.exec(text) ?? [];
  if (section !== undefined && section !== '') return { kind: 'header', name: section };
  const [, key, value] = ENTRY.exec(text) ?? [];
  return key === undefined || value === undefined ? readFault(text) : readEntry(key, value);
}

/** The first section of a name is where a repeated one should have been. */
function repeated(sections: readonly IniSection[], file: string): Problem[] {
  const first = new Map<string, number>();
  return sections.flatMap(({ name, line }) => {
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, line);
      return [];
    }
    const reason = `section [${name}] is already in line ${earlier}, and llama-server would forget that one`;
    return [{ file, line, field: `[${name}]`, reason, fix: 'Merge the two.' }];
  });
}

/** llama-server makes a model named "default" of keys before the first section (llama.cpp #22364). */
function orphan(entry: IniEntry, file: string): Problem[] {
  if (entry.key === 'version') return [];
  const reason = 'the key stands before any section, where it would make a model named "default"';
  return [
    { file, line: entry.line, field: entry.key, reason, fix: 'Move it under [*] for all models, or under a [model].' },
  ];
}

/**
 * Reads the form of a presets file as llama-server does (llama.cpp, common/preset.cpp): sections, `key = value` from the first
 * column, comments from `;` or `#`. Stricter where llama-server loses something silently: keys before a section, a section
 * that comes twice, a value cut at `;` or `#`. All faults of the file are reported; later ones do not depend on earlier ones.
 * Of a file of another kind it is told that it is one.
 */
export function parsePresetsIni(text: string, file: string): ParsedIni {
  const lines = text.split(/\r\n|\n|\r/u);
  const manifest = findManifest(lines, file);
  return manifest === undefined ? readLines(lines, file) : { file, sections: [], problems: [manifest] };
}

function readLines(lines: readonly string[], file: string): ParsedIni {
  const sections: (IniSection & { readonly entries: IniEntry[] })[] = [];
  const problems: Problem[] = [];
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    const read = readLine(content);
    if (read.kind === 'header') sections.push({ name: read.name, line, entries: [] });
    else if (read.kind === 'fault') {
      const { reason, fix, key } = read;
      problems.push({ file, line, ...(key === undefined ? {} : { field: key }), reason, fix });
    } else if (read.kind === 'entry') {
      const entry = { key: read.key, value: read.value, line };
      const section = sections.at(-1);
      if (section === undefined) problems.push(...orphan(entry, file));
      else section.entries.push(entry);
    }
  }
  return { file, sections, problems: [...shorten(problems), ...repeated(sections, file)] };
}
