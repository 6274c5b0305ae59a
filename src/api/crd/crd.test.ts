import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMember } from '../field-path.ts';
import { type Kind, KINDS } from './kinds.ts';
import { makeCrd, renderCrd } from './render-crd.ts';
import { renderApiReference } from './render-api-reference.ts';

/** A part of a CRD's schema with its place. */
interface Part {
  readonly place: string;
  readonly schema: unknown;
}

const entries = (value: unknown): [string, unknown][] => Object.entries(value ?? {});

function* partsOf(schema: unknown, place: string): Generator<Part> {
  yield { place, schema };
  for (const [name, member] of entries(readMember(schema, 'properties'))) yield* partsOf(member, `${place}.${name}`);
  const items = readMember(schema, 'items');
  if (items !== undefined) yield* partsOf(items, `${place}[]`);
  const values = readMember(schema, 'additionalProperties');
  if (values !== undefined) yield* partsOf(values, `${place}.*`);
}

function schemaOf(kind: Kind): unknown {
  const [version] = (makeCrd(kind) as unknown as { spec: { versions: { schema: { openAPIV3Schema: unknown } }[] } })
    .spec.versions;
  return version?.schema.openAPIV3Schema;
}

const all = KINDS.flatMap((kind) => [...partsOf(schemaOf(kind), kind.kind)]);

/** The places of the parts that a predicate holds of. */
const places = (is: (schema: unknown) => boolean): string[] =>
  all.filter(({ schema }) => is(schema)).map(({ place }) => place);

const has = (schema: unknown, keyword: string): boolean => readMember(schema, keyword) !== undefined;
const isOf =
  (type: string) =>
  (schema: unknown): boolean =>
    readMember(schema, 'type') === type;

test('every field has a description', () => {
  assert.ok(all.length > 300);
  const bare = all.filter(({ place, schema }) => !has(schema, 'description') && /\.\w+$/u.test(place));
  assert.deepEqual(
    bare.map(({ place }) => place).filter((place) => !place.endsWith('.metadata')),
    [],
  );
});

test('every text, list and map has a limit, without which an API server refuses the rules as too costly', () => {
  const free = (schema: unknown): boolean =>
    isOf('string')(schema) && !['maxLength', 'enum', 'format'].some((keyword) => has(schema, keyword));
  assert.deepEqual(
    places(free).filter((place) => !/^\w+\.(?:kind|apiVersion)$/u.test(place)),
    [],
  );
  assert.deepEqual(
    places((schema) => isOf('array')(schema) && !has(schema, 'maxItems')),
    [],
  );
  assert.deepEqual(
    places((schema) => has(schema, 'additionalProperties') && !has(schema, 'maxProperties')),
    [],
  );
});

test('the schemas are structural: nothing in them that an API server does not take', () => {
  for (const keyword of [
    '$ref',
    'title',
    'const',
    'patternProperties',
    'uniqueItems',
    'nullable',
    'rules',
    'otherwise',
  ]) {
    assert.deepEqual(
      places((schema) => has(schema, keyword)),
      [],
      keyword,
    );
  }
  assert.deepEqual(
    places((schema) => has(schema, 'properties') && has(schema, 'additionalProperties')),
    [],
  );
  assert.deepEqual(
    places((schema) => Array.isArray(readMember(schema, 'type'))),
    [],
  );
});

test('every list says how it is merged, and the keys of a map are required fields of its items', () => {
  assert.deepEqual(
    places((schema) => isOf('array')(schema) && !has(schema, 'x-kubernetes-list-type')),
    [],
  );
  const loose = places((schema) => {
    const keys = readMember(schema, 'x-kubernetes-list-map-keys');
    const required = readMember(readMember(schema, 'items'), 'required');
    return Array.isArray(keys) && !keys.every((key) => Array.isArray(required) && required.includes(key));
  });
  assert.deepEqual(loose, []);
});

test('every rule says what is wrong', () => {
  const messages = all.flatMap(({ schema }) =>
    entries(readMember(schema, 'x-kubernetes-validations')).map(([, rule]) => readMember(rule, 'message')),
  );
  assert.ok(messages.length > 60);
  assert.ok(messages.every((message) => typeof message === 'string' && message.length > 10 && !message.includes('\n')));
});

test('a field that layers set has no default in the CRD, which would hide what the layers below say', () => {
  const layered = all.filter(
    ({ place, schema }) => /\.(?:defaults|presets\[\])\./u.test(place) && has(schema, 'default'),
  );
  assert.deepEqual(layered, []);
});

test('the CRDs have names, columns and a status of their own', () => {
  assert.deepEqual(
    KINDS.map((kind) =>
      renderCrd(kind)
        .split('\n')
        .find((line) => line.startsWith('  name: ')),
    ),
    ['  name: modeldeployments.corral.dev', '  name: modelpools.corral.dev', '  name: edgereports.corral.dev'],
  );
  const statuses = KINDS.map((kind) => renderCrd(kind).includes('subresources:'));
  assert.deepEqual(statuses, [true, true, false]);
});

test('the reference has a row for every field', () => {
  const reference = renderApiReference(KINDS);
  const missing = all
    .map(({ place }) => place.replace(/^\w+\.?/u, ''))
    .filter((field) => field !== '' && !/(?:\.\*|\[\])$|^(?:kind|apiVersion|metadata)$/u.test(field))
    .filter((field) => !/^spec\.defaults\.\w+[.[]|\.files\[\]\.source\./u.test(field))
    .filter((field) => !reference.includes(`| \`${field}\` |`));
  assert.deepEqual(missing, []);
});
