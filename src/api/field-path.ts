/** Keys and indexes from the top of a document. */
export type FieldPath = readonly (string | number)[];

/** `spec.presets[2].args[0]`. */
export const formatField = (path: FieldPath): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./u, '');

/** The same with every index left out: `spec.presets[].args[]`, the key of the tables of rules. */
export const formatPattern = (path: FieldPath): string => formatField(path).replaceAll(/\[\d+\]/gu, '[]');

/** A member of an object or an item of a list; `undefined`: there is none. Own properties only. */
export function readMember(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value as unknown;
}

/** Every value of a document with its path, parents before children. */
export function* walk(
  value: unknown,
  path: FieldPath = [],
): Generator<{ readonly path: FieldPath; readonly value: unknown }> {
  yield { path, value };
  if (typeof value !== 'object' || value === null) return;
  const isList = Array.isArray(value);
  for (const [key, member] of Object.entries(value)) yield* walk(member, [...path, isList ? Number(key) : key]);
}

/** Reads an RFC 6901 pointer; a number where the value at that place is a list. */
export function parsePointer(pointer: string, root: unknown): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = readMember(value, key);
  }
  return path;
}

/** The value at a path; `undefined`: there is none. */
export const readPath = (root: unknown, path: FieldPath): unknown =>
  path.reduce((value: unknown, key) => readMember(value, String(key)), root);
