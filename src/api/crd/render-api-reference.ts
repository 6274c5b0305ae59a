import { readMember } from '../field-path.ts';
import { rulesOf } from '../manifest-rule.ts';
import { GROUP } from '../manifest-schema.ts';
import type { Kind } from './kinds.ts';

/** One row of a table: a field with all that is said about it. */
interface Row {
  readonly field: string;
  readonly schema: unknown;
  readonly required: boolean;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const HEADER = new Set(['apiVersion', 'kind', 'metadata']);

const membersOf = (schema: unknown): readonly (readonly [string, unknown])[] =>
  Object.entries(readMember(schema, 'properties') ?? {});

function isRequired(schema: unknown, name: string): boolean {
  const required = readMember(schema, 'required');
  return Array.isArray(required) && required.includes(name);
}

/** Whether the values of a map are worth a row: an object, or what has rules. */
const valuesOf = (schema: unknown): unknown => Object.values(readMember(schema, 'patternProperties') ?? {}).at(0);

/** Every field below a schema, parents before children. `defaults` is told once, and referred to. */
function* rowsBelow(schema: unknown, prefix: string): Generator<Row> {
  for (const [name, member] of membersOf(schema)) {
    const field = `${prefix}${name}`;
    yield { field, schema: member, required: isRequired(schema, name) };
    if (isRepeated(field)) continue;
    const items = readMember(member, 'items');
    if (items === undefined) yield* rowsBelow(member, `${field}.`);
    else yield* rowsBelow(items, `${field}[].`);
  }
}

/** Fields whose members are those of a preset of the same name. */
const isRepeated = (field: string): boolean => /^spec\.defaults\.\w+$|\.files\[\]\.source$/u.test(field);

function typeOf(schema: unknown): string {
  if (readMember(schema, 'x-kubernetes-int-or-string') === true) return 'quantity';
  const items = readMember(schema, 'items');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const values = valuesOf(schema);
  if (values === undefined) return typeName(schema);
  return readMember(schema, 'x-kubernetes-preserve-unknown-fields') === true ? 'object' : `map of ${typeOf(values)}`;
}

function typeName(schema: unknown): string {
  const type = textOf(readMember(schema, 'type'));
  return type === '' ? 'anything' : type;
}

/** Whether the words for its form say its length too. */
const isSized = (schema: unknown): boolean =>
  readMember(schema, 'pattern') !== undefined && textOf(readMember(schema, 'title')).includes('characters');

/** A number with a limit that somebody might reach. */
const isBounded = (schema: unknown): boolean =>
  readMember(schema, 'maximum') !== undefined && readMember(schema, 'pattern') === undefined;

/** The bounds of a value, in words. */
function boundsOf(schema: unknown): string[] {
  const read = (keyword: string): unknown => readMember(schema, keyword);
  const words = read('enum');
  return [
    ...(Array.isArray(words) ? [words.map((word) => `\`${String(word)}\``).join(', ')] : []),
    ...(read('pattern') === undefined ? [] : [textOf(read('title'))]),
    ...(read('maxLength') === undefined || isSized(schema) ? [] : [`at most ${String(read('maxLength'))} characters`]),
    ...(isBounded(schema) ? [`${String(read('minimum'))} to ${String(read('maximum'))}`] : []),
    ...(read('maxItems') === undefined ? [] : [`at most ${String(read('maxItems'))} items`]),
    ...(read('minProperties') === undefined ? [] : [`at least ${String(read('minProperties'))} key`]),
    ...(read('maxProperties') === undefined ? [] : [`at most ${String(read('maxProperties'))} keys`]),
    ...uniqueness(schema),
  ];
}

function uniqueness(schema: unknown): string[] {
  const keys = readMember(schema, 'x-kubernetes-list-map-keys');
  if (Array.isArray(keys)) return [`${keys.map((key) => `\`${String(key)}\``).join(', ')} unique`];
  return readMember(schema, 'x-kubernetes-list-type') === 'set' ? ['each once'] : [];
}

/** Of a list also the bounds and rules of its items, where the items have no rows of their own. */
function parts(schema: unknown): unknown[] {
  const inner = readMember(schema, 'items') ?? valuesOf(schema);
  return inner === undefined || membersOf(inner).length > 0 ? [schema] : [schema, inner];
}

function limits(schema: unknown): string {
  const [own, inner] = parts(schema);
  const each = inner === undefined ? [] : boundsOf(inner).map((bound) => `each ${bound}`);
  return [...boundsOf(own), ...each].join('; ');
}

/** Rules of its own, of what it contains, and of items without rows; the same words once. */
function rules(schema: unknown): string {
  const inner = readMember(schema, 'items');
  const found = [...parts(schema), ...(inner === undefined ? [] : [inner])].flatMap(rulesOf);
  return [...new Set(found.map(({ message }) => message))].join('; ');
}

function initial({ schema, required }: Row): string {
  if (required) return 'required';
  const [set, otherwise] = [readMember(schema, 'default'), readMember(schema, 'otherwise')];
  if (set !== undefined) return `\`${JSON.stringify(set).replaceAll('"', '')}\``;
  return typeof otherwise === 'string'
    ? `\`${otherwise.replace(/; in/u, '`; in')}${otherwise.includes(';') ? '' : '`'}`
    : '';
}

const cell = (text: string): string => text.replaceAll('\n', ' ');

const renderRow = (row: Row): string =>
  [
    `\`${row.field}\``,
    isRepeated(row.field) ? 'as in a preset' : typeOf(row.schema),
    initial(row),
    isRepeated(row.field) ? '' : limits(row.schema),
    cell(textOf(readMember(row.schema, 'description'))),
    isRepeated(row.field) ? '' : rules(row.schema),
  ]
    .map((text) => ` ${text} `)
    .join('|');

const TABLE = ['| field | type | default | limits | meaning | refused with |', '|---|---|---|---|---|---|'];

function renderKind(kind: Kind): string {
  const rows = [...rowsBelow(kind.schema, '')].filter(({ field }) => {
    const [top = ''] = field.split('.');
    return !HEADER.has(top);
  });
  const scope = kind.namespaced ? 'namespaced' : 'of the whole cluster';
  const columns = kind.columns.map(({ name, wide }) => (wide === true ? `${name} (\`-o wide\`)` : name)).join(', ');
  return [
    `## ${kind.kind}`,
    '',
    `\`${kind.plural}.${GROUP}\`, short name \`${kind.shortName}\`, ${scope}. ${String(readMember(kind.schema, 'description'))}`,
    '',
    `Columns of \`kubectl get\`: ${columns}.`,
    '',
    ...TABLE,
    ...rows.map((row) => `|${renderRow(row)}|`),
    '',
  ].join('\n');
}

const HEAD = `# API reference

Generated from src/api by \`npm run generate\`. Do not edit.

Group \`corral.dev\`, version \`v1alpha1\`, category \`corral\`: \`kubectl get corral\` lists everything. Another project has a kind
ModelDeployment too, so write \`modeldeployments.corral.dev\`, or the short name.

The API server refuses a manifest that breaks a type, a limit or a rule of these tables, and \`corral serve -f FILE --check\` gives
the same verdict without a cluster. An unknown field is refused too. What \`corral serve\` makes of each field is in
[serve.md](serve.md#manifests).

A default in the tables holds where neither the preset, nor \`defaults\` of its ModelDeployment, nor \`defaults\` of its ModelPool
sets the field. Durations are in Go's notation: \`90s\`, \`15m\`, \`1h30m\`, \`500ms\`.
`;

/** docs/api.md: every field of every kind. */
export const renderApiReference = (kinds: readonly Kind[]): string => [HEAD, ...kinds.map(renderKind)].join('\n');
