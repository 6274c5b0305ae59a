import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldAt } from '../field-at.ts';
import type { Specs } from '../../../unit/support/schema-effects/leaf-specs.ts';

type Tree = Readonly<Record<string, unknown>>;

const PAGE = join(import.meta.dirname, '../../../../docs/api.md');
/** A field, and a default that is one value wherever the field is missing: not one that follows from others. */
const ROW = /^\| `spec\.([^`]+)` \| [^|]+ \| `([^`,]+)`/u;

/** What docs/api.md says a field of a spec is where it is not given, by its path, in the order of the page. */
export function documentedDefaults(kind: keyof Specs): ReadonlyMap<string, unknown> {
  const title = kind === 'pool' ? 'ModelPool' : 'ModelDeployment';
  const section = readFileSync(PAGE, 'utf8')
    .split(/^## /mu)
    .find((text) => text.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`${PAGE} has no section about a ${title}`);
  return new Map(section.split('\n').flatMap(readRow));
}

function readRow(line: string): readonly (readonly [string, unknown])[] {
  const [, path, value] = ROW.exec(line) ?? [];
  return path === undefined || value === undefined ? [] : [[path, valueOf(value)]];
}

const valueOf = (text: string): unknown => (/^(?:\{\}|true|false|\d+)$/u.test(text) ? JSON.parse(text) : text);

/** A spec with those of its documented defaults that are in what the API server stores: others hold without being stored. */
export function withDefaults(kind: keyof Specs, spec: unknown, stored: unknown): unknown {
  const added = [...documentedDefaults(kind)].filter(([path]) => fieldAt(stored, ...path.split('.')) !== undefined);
  return added.reduce((filled: unknown, [path, value]) => fill(filled, path.split('.'), value), spec);
}

/** What is missing altogether has no fields that could be filled. */
function fill(tree: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  if (!isTree(tree)) return tree;
  if (rest.length > 0) return key in tree ? { ...tree, [key]: fill(tree[key], rest, value) } : tree;
  return key in tree ? tree : { ...tree, [key]: value };
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;
