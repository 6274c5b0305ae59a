import { type FieldPath, readMember } from './field-path.ts';

/** A value with the part of a schema that describes it. */
export interface Described {
  readonly path: FieldPath;
  readonly value: unknown;
  readonly schema: unknown;
}

/** The schema of a member; `undefined`: nothing is said about it. */
export function memberSchema(schema: unknown, key: string): unknown {
  const named = readMember(readMember(schema, 'properties'), key);
  if (named !== undefined) return named;
  // Maps have one pattern, which any key matches.
  return Object.values(readMember(schema, 'patternProperties') ?? {}).at(0);
}

/** Every value of a document that its schema describes, parents before children. */
export function* walkSchema(schema: unknown, value: unknown, path: FieldPath = []): Generator<Described> {
  yield { path, value, schema };
  if (typeof value !== 'object' || value === null) return;
  const items = readMember(schema, 'items');
  for (const [key, member] of Object.entries(value)) {
    const isItem = Array.isArray(value);
    const part = isItem ? items : memberSchema(schema, key);
    if (part !== undefined) yield* walkSchema(part, member, [...path, isItem ? Number(key) : key]);
  }
}
