import type { TSchema } from 'typebox';
import { type TLocalizedValidationError, type TRequiredError } from 'typebox/error';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { type FieldPath, formatField, formatPattern, parsePointer, readMember, readPath, walk } from './field-path.ts';
import { findUnsupported, findValueFault } from './manifest-rules.ts';
import { suggest } from './nearest.ts';
import type { Problem } from './problem.ts';
import type { YamlDocument } from './read-yaml.ts';

// The default of 8 would hide the others: every fault of a manifest is reported at once.
Settings.Set({ maxErrors: 1000 });

/** Finds the part of a schema that an error speaks of, and its title. */
function findSchema(schema: TSchema, schemaPath: string): unknown {
  return readPath(schema, parsePointer(schemaPath, schema));
}

function titleOf(schema: unknown): string | undefined {
  const title = readMember(schema, 'title');
  return typeof title === 'string' ? title : undefined;
}

const isSecret = (path: FieldPath): boolean => /\.(?:env|args)(?:\[|$)/u.test(formatPattern(path));

const nameFields = (names: readonly string[]): string =>
  names.length === 0 ? 'no fields' : names.join(' and ').slice(0, 80);

function show(path: FieldPath, value: unknown): string {
  if (value === null) return ', not empty';
  if (Array.isArray(value)) return ', not a list';
  if (typeof value === 'object') return `, not an object with ${nameFields(Object.keys(value))}`;
  return isSecret(path) ? '' : `, not ${JSON.stringify(value).slice(0, 80)}`;
}

function explainMissing(document: YamlDocument, schema: unknown, path: FieldPath, names: readonly string[]): Problem[] {
  return names.map((name) => {
    const title = titleOf(readPath(schema, ['properties', name]));
    const fix = title === undefined ? {} : { fix: `It must be ${title}.` };
    return {
      ...document.siteOfValue(path),
      field: formatField([...path, name]),
      reason: 'the field is missing',
      ...fix,
    };
  });
}

function explainUnknown(document: YamlDocument, schema: unknown, path: FieldPath, names: readonly string[]): Problem[] {
  const known = Object.keys(readMember(schema, 'properties') ?? {});
  return names.map((name) => {
    const site = document.siteOfKey([...path, name]);
    const unsupported = findUnsupported([...path, name]);
    if (unsupported !== undefined) return { ...site, reason: unsupported };
    return { ...site, reason: 'there is no such field', ...suggest(name, known) };
  });
}

function explain(document: YamlDocument, schema: TSchema, error: TLocalizedValidationError): Problem[] {
  const path = parsePointer(error.instancePath, document.value);
  const part = findSchema(schema, error.schemaPath);
  if (error.keyword === 'required') return explainMissing(document, part, path, requiredOf(error));
  if (error.keyword === 'additionalProperties') {
    return explainUnknown(document, part, path, error.params.additionalProperties);
  }
  // The schema `false` of a field that additionalProperties already names.
  if (error.keyword === 'boolean') return [];
  const title = titleOf(part);
  const reason = title === undefined ? error.message : `must be ${title}${show(path, readPath(document.value, path))}`;
  return [{ ...document.siteOfValue(path), reason }];
}

const requiredOf = (error: TRequiredError): readonly string[] => error.params.requiredProperties;

const placeKey = ({ line, column, field }: Problem): string => [line, column, field].join(':');

/** `sort` is stable, and a place without a line does not occur in a document that could be read. */
function byPlace(a: Problem, b: Problem): number {
  const lines = Number(a.line) - Number(b.line);
  return lines === 0 ? Number(a.column) - Number(b.column) : lines;
}

/** One value can break several keywords of its schema, all of which say the same. */
const unique = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map((problem) => [placeKey(problem), problem] as const)).values(),
];

function checkValues(document: YamlDocument): Problem[] {
  return [...walk(document.value)].flatMap(({ path, value }) => {
    const fault = findValueFault(path, value);
    return fault === undefined ? [] : [{ ...document.siteOfValue(path), ...fault }];
  });
}

/** Every fault of one object: by its schema, and by the rules that a schema cannot say. */
export function checkManifest(document: YamlDocument, schema: TSchema): Problem[] {
  const errors = Value.Errors(schema, document.value);
  const problems = [...errors.flatMap((error) => explain(document, schema, error)), ...checkValues(document)];
  return unique(problems).sort(byPlace);
}
