import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

/** One object of test/manifests. */
export interface CorpusEntry {
  /** File and name, for messages. */
  readonly title: string;
  /** As it stands in the file. */
  readonly text: string;
  /** As JSON has it. */
  readonly object: { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string } };
}

/** One that is to be refused, with what each verdict must name. */
export interface RefusedEntry extends CorpusEntry {
  readonly field: string;
  /** Missing where only an API server's own words say what is wrong. */
  readonly piece: string | undefined;
}

const root = join(import.meta.dirname, '../manifests');

function isManifest(value: unknown): value is CorpusEntry['object'] {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('metadata' in value)) return false;
  const { kind, metadata } = value;
  return typeof kind === 'string' && typeof metadata === 'object' && metadata !== null && 'name' in metadata;
}

function readEntries(folder: string): CorpusEntry[] {
  return globSync('*.yaml', { cwd: join(root, folder) })
    .sort()
    .flatMap((file) =>
      readFileSync(join(root, folder, file), 'utf8')
        .split(/^---$/mu)
        .slice(1)
        .map((text) => {
          const object: unknown = parse(text);
          if (!isManifest(object)) throw new Error(`${file}: an object without kind and name`);
          return { title: `${basename(file)}: ${object.metadata.name}`, text, object };
        }),
    );
}

/** Objects that everybody accepts. */
export const readAccepted = (): CorpusEntry[] => readEntries('accept');

/** Objects that everybody refuses. Throws if one does not say why. */
export const readRefused = (): RefusedEntry[] =>
  readEntries('refuse').map((entry) => {
    const [, field, piece] = /^# refused: (\S+)(?: -- (.+))?$/mu.exec(entry.text) ?? [];
    if (field === undefined) throw new Error(`${entry.title} does not say for which field it is refused`);
    return { ...entry, field, piece };
  });

/** What is missing in a verdict that ought to name the field and the reason; empty: nothing. */
export const missingIn = ({ field, piece }: RefusedEntry, verdict: string): string[] =>
  [field, ...(piece === undefined ? [] : [piece])].filter((part) => !verdict.includes(part));
