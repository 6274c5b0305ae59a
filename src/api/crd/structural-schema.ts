import type { Json, JsonObject } from '../../domain/json.ts';
import { readMember } from '../field-path.ts';
import { type Rule, rulesOf } from '../manifest-rule.ts';

/** Keywords that a CRD's schema takes over as they are. */
const KEPT = [
  ...['type', 'format', 'enum', 'default', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'],
  ...['minItems', 'maxItems', 'minProperties', 'maxProperties', 'required'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string'],
];

/** What a rule says to whoever breaks it: what is wrong, and what to do instead. */
const messageOf = ({ message, fix }: Rule): string => (fix === undefined ? message : `${message}. ${fix}`);

const renderRule = (rule: Rule): Json => ({
  rule: rule.cel,
  message: messageOf(rule),
  ...(rule.member === undefined ? {} : { fieldPath: `.${rule.member}` }),
});

function describe(schema: unknown): string | undefined {
  const [description, otherwise] = [readMember(schema, 'description'), readMember(schema, 'otherwise')];
  if (typeof description !== 'string') return undefined;
  const whatHolds = typeof otherwise === 'string' ? [`Default: ${otherwise}.`] : [];
  return [description, ...whatHolds].join(' ');
}

const isJson = (value: unknown): value is Json => value !== undefined;

const keep = (schema: unknown): Record<string, Json> =>
  Object.fromEntries(
    KEPT.flatMap((keyword) => {
      const value = readMember(schema, keyword);
      return isJson(value) ? [[keyword, value]] : [];
    }),
  );

const renderMembers = (members: object): Json =>
  Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, renderSchema(schema)]));

/** A number or a text has no type in a CRD, but a keyword of its own. */
function renderNumberOrText(schema: unknown): JsonObject {
  const kept = Object.fromEntries(Object.entries(keep(schema)).filter(([keyword]) => keyword !== 'type'));
  return { ...withWords(schema), anyOf: [{ type: 'integer' }, { type: 'string' }], ...kept };
}

function withWords(schema: unknown): Record<string, Json> {
  const description = describe(schema);
  const rules = rulesOf(schema);
  return {
    ...(description === undefined ? {} : { description }),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules.map(renderRule) }),
  };
}

/** Renders a schema as a CRD has it: structural, with the rules in CEL. */
export function renderSchema(schema: unknown): JsonObject {
  if (readMember(schema, 'x-kubernetes-int-or-string') === true) return renderNumberOrText(schema);
  const [properties, items] = [readMember(schema, 'properties'), readMember(schema, 'items')];
  // The one pattern of a map. What may hold any fields says so with a keyword of its own.
  const values: unknown = Object.values(readMember(schema, 'patternProperties') ?? {}).at(0);
  const isOpen = readMember(schema, 'x-kubernetes-preserve-unknown-fields') === true;
  return {
    ...withWords(schema),
    ...keep(schema),
    ...(items === undefined ? {} : { items: renderSchema(items) }),
    ...(typeof properties === 'object' && properties !== null ? { properties: renderMembers(properties) } : {}),
    ...(values === undefined || isOpen ? {} : { additionalProperties: renderSchema(values) }),
  };
}
