import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { type FieldPath, formatField, formatPattern, parsePointer, readMember, readPath } from './field-path.ts';
import { rulesOf } from './manifest-rule.ts';
import { suggest } from './nearest.ts';
import { type Described, walkSchema } from './walk-schema.ts';

// The default of 8 would hide the others: every fault of an object is reported at once.
Settings.Set({ maxErrors: 1000 });

/** What is wrong with one field. */
export interface Fault {
  readonly path: FieldPath;
  /** Whether the field's name is wrong, or what it holds. */
  readonly at: 'name' | 'value';
  /** A clause without a full stop at its end. */
  readonly reason: string;
  readonly fix?: string;
}

function titleOf(schema: unknown): string | undefined {
  const title = readMember(schema, 'title');
  return typeof title === 'string' ? title : undefined;
}

const isSecret = (path: FieldPath): boolean => /\.(?:env|args)(?:\[|$)/u.test(formatPattern(path));

const nameFields = (names: readonly string[]): string =>
  names.length === 0 ? 'no fields' : names.join(' and ').slice(0, 80);

/** How a message repeats a wrong value, for instance `, not 7`. */
export type ShowValue = (path: FieldPath, value: unknown) => string;

/** Arguments and variables may hold passwords: they are never repeated. */
function showUnlessSecret(path: FieldPath, value: unknown): string {
  if (value === undefined) return ', and is missing';
  if (value === null) return ', not empty';
  if (Array.isArray(value)) return `, not a list of ${value.length}`;
  if (typeof value === 'object') return `, not an object with ${nameFields(Object.keys(value))}`;
  return isSecret(path) ? '' : `, not ${JSON.stringify(value).slice(0, 80)}`;
}

/** What is checked, and how it is talked about. */
interface Checked {
  readonly value: unknown;
  readonly schema: TSchema;
  readonly show: ShowValue;
}

function explainMissing(schema: unknown, path: FieldPath, names: readonly string[]): Fault[] {
  return names.map((name) => {
    const title = titleOf(readPath(schema, ['properties', name]));
    const fix = title === undefined ? {} : { fix: `It must be ${title}.` };
    return { path: [...path, name], at: 'value', reason: 'the field is missing', ...fix };
  });
}

function explainUnknown(schema: unknown, path: FieldPath, names: readonly string[]): Fault[] {
  const known = Object.keys(readMember(schema, 'properties') ?? {});
  return names.map((name) => ({
    path: [...path, name],
    at: 'name',
    reason: 'there is no such field',
    ...suggest(name, known),
  }));
}

function explain({ value, schema, show }: Checked, error: TLocalizedValidationError): Fault[] {
  const path = parsePointer(error.instancePath, value);
  const part = readPath(schema, parsePointer(error.schemaPath, schema));
  if (error.keyword === 'required') return explainMissing(part, path, error.params.requiredProperties);
  if (error.keyword === 'additionalProperties') return explainUnknown(part, path, error.params.additionalProperties);
  // The schema `false` of a field that additionalProperties already names.
  if (error.keyword === 'boolean') return [];
  const title = titleOf(part);
  const reason = title === undefined ? error.message : `must be ${title}${show(path, readPath(value, path))}`;
  return [{ path, at: 'value', reason }];
}

function checkRules({ schema, value, path }: Described): Fault[] {
  return rulesOf(schema).flatMap(({ message, fix, findFault, name }) => {
    const place = findFault(value);
    if (place === undefined) return [];
    const reason = name === undefined ? message : `${name(value)}: ${message}`;
    return [{ path: [...path, ...place], at: 'value' as const, reason, ...(fix === undefined ? {} : { fix }) }];
  });
}

/** The members that tell two items of a list apart: none of a set, where an item is told by itself. */
function keysOf(schema: unknown): readonly string[] | undefined {
  const type = readMember(schema, 'x-kubernetes-list-type');
  if (type === 'set') return [];
  const keys = readMember(schema, 'x-kubernetes-list-map-keys');
  return type === 'map' && Array.isArray(keys) ? keys.map(String) : undefined;
}

const identityOf = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.length === 0 ? item : keys.map((key) => readMember(item, key)));

function checkRepeated({ schema, value, path }: Described): Fault[] {
  const keys = keysOf(schema);
  if (keys === undefined || !Array.isArray(value)) return [];
  const ids = value.map((item) => identityOf(item, keys));
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (first === index) return [];
    const reason = `${formatField([...path, first])} has this ${keys.length === 0 ? 'value' : keys.join(' and ')} already`;
    return [
      { path: [...path, index, ...keys.slice(0, 1)], at: 'value' as const, reason, fix: 'Rename or remove one.' },
    ];
  });
}

/** Faults that make one another: the first of each place is enough. */
const unique = (faults: readonly Fault[]): Fault[] => [
  ...new Map(faults.toReversed().map((fault) => [formatField(fault.path), fault] as const)).values(),
];

/**
 * Everything for which an API server with Corral's CRDs would refuse this object or part of one, by its schema and the
 * rules in it. Unknown fields are faults, as with strict validation (`kubectl apply` asks for it).
 */
export function checkObject(value: unknown, schema: TSchema, show: ShowValue = showUnlessSecret): readonly Fault[] {
  const described = [...walkSchema(schema, value)];
  return unique([
    ...Value.Errors(schema, value).flatMap((error) => explain({ value, schema, show }, error)),
    ...described.flatMap(checkRepeated),
    ...described.flatMap(checkRules),
  ]);
}
