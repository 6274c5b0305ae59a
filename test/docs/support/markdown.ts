import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder. */
export const root = join(import.meta.dirname, '../../..');

export const readText = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A fenced block of code. */
export interface Block {
  /** What stands behind the opening fence. */
  readonly language: string;
  readonly text: string;
}

const FENCED = /^```(.*)\n([\s\S]*?)^```$/gmu;

/** The fenced blocks of a text, in their order. */
export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(FENCED)].map(([, language = '', text = '']) => ({ language, text }));

/** What stands under a heading of the second level, up to the next one. Throws if there is no such heading. */
export function sectionOf(markdown: string, heading: string): string {
  const section = markdown.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`there is no section '${heading}'`);
  return section;
}

/** What stands under a heading of the third level of a section, up to the next one. Throws if there is no such heading. */
export function partOf(section: string, heading: string): string {
  const found = section.split(/^### /mu).find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`there is no part '${heading}'`);
  return found;
}

/** The cells of each row of all tables of a text, without heads. */
export function rowsOf(markdown: string): string[][] {
  const lines = markdown.split('\n');
  const heads = new Set(lines.flatMap((line, index) => (RULE.test(line) ? [index - 1, index] : [])));
  return lines.filter((line, index) => line.startsWith('|') && !heads.has(index)).map(cellsOf);
}

/** What stands between the head of a table and its rows. */
const RULE = /^\|[-| ]+\|$/u;

const cellsOf = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** Everything in a text that is set as code, each once. */
export const codeIn = (markdown: string): Set<string> =>
  new Set([...markdown.matchAll(/`([^`\n]+)`/gu)].map(([, code = '']) => code));
