import { globSync } from 'node:fs';
import type { Option } from 'commander';
import { codeIn, readText, root, rowsOf, sectionOf } from './markdown.ts';

export const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Every match of a pattern's first group in the product's code below a folder or in a file. */
export function foundIn(path: string, pattern: RegExp, except = /^$/u): string[] {
  const files = globSync([path, `${path}/**/*.ts`], { cwd: root }).filter(
    (file) => file.endsWith('.ts') && !/\.test\.ts$|testing/u.test(file) && !except.test(file),
  );
  return files.flatMap((file) => [...readText(file).matchAll(pattern)].map(([, found = '']) => found));
}

/** Every message that code below a folder or in a file logs. */
export const loggedIn = (path: string, except?: RegExp): string[] =>
  foundIn(path, /\blog\.(?:error|warn|info|debug)\(\s*['`]([^'`]+)['`]/gu, except);

/** Whether a documented message is this one. `…` stands for the rest, and capitals for what varies. */
export function isMessage(documented: string, message: string): boolean {
  const literal = message.replace('${file}: ${field}', 'FILE: FIELD');
  return documented.endsWith('…') ? literal.startsWith(documented.slice(0, -1)) : literal === documented;
}

/** A flag's row in a document, as far as the program knows it. */
export interface FlagRow {
  readonly names: string[];
  readonly initial: string;
  readonly variable: string;
}

/** The rows of a document's section on flags; a column for variables may be missing. */
export const flagRowsOf = (document: string): FlagRow[] =>
  rowsOf(sectionOf(document, 'Flags')).map(([names = '', initial = '', variable = '']) => ({
    names: sorted(codeIn(names)),
    initial,
    variable,
  }));

/** A default is none, a value, words for one in other units, or something that only the description tells. */
function initialOf({ long, defaultValue, defaultValueDescription: words, negate, description }: Option): string {
  const told = /\(default: (.+)\)$/u.exec(description)?.[1];
  if (told !== undefined) return `\`${told}\``;
  if (words !== undefined) return words === 'none' ? words : `\`${words}\``;
  if (defaultValue === true && !negate) return 'on';
  if (long === '--help' || negate) return '';
  return defaultValue === undefined ? 'none' : `\`${String(defaultValue)}\``;
}

/** What the row of an option has to be. */
export function rowOfOption(option: Option): FlagRow {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const argument = option.flags.split(' ').filter((word) => word.startsWith('<'));
  const [last = '', ...before] = names.reverse();
  const spelled = [...before, [last, ...argument].join(' ')];
  // LLAMA_SERVER is read where llama-servers are looked for, and not by the command line.
  const variable = option.long === '--llama-server' ? 'LLAMA_SERVER' : option.envVar;
  return {
    names: sorted(spelled),
    initial: initialOf(option),
    variable: variable === undefined ? '' : `\`${variable}\``,
  };
}
