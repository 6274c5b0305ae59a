import { readMember } from './field-path.ts';
import { memberSchema } from './walk-schema.ts';

type Members = readonly (readonly [string, unknown])[];

const membersOf = (value: object): Members => Object.entries(value);

/** Members that are missing and have a default, each with it. */
function missingDefaults(schema: unknown, kept: Members): Members {
  const present = new Set(kept.map(([key]) => key));
  return membersOf(readMember(schema, 'properties') ?? {}).flatMap(([key, part]) => {
    const initial = readMember(part, 'default');
    return present.has(key) || initial === undefined ? [] : [[key, initial] as const];
  });
}

/**
 * What an API server makes of an object that it is sent, before it looks for faults: a field without a value is left out, and
 * a missing field that has a default gets it. Items of lists stay, and so do fields that the schema does not know.
 */
export function admit(schema: unknown, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => admit(readMember(schema, 'items'), item));
  const kept = membersOf(value).filter(([key, member]) => member !== null || memberSchema(schema, key) === undefined);
  const all = [...kept, ...missingDefaults(schema, kept)];
  return Object.fromEntries(all.map(([key, member]) => [key, admit(memberSchema(schema, key), member)]));
}
