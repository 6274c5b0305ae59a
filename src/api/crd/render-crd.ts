import type { Json, JsonObject } from '../../domain/json.ts';
import { stringify } from 'yaml';
import { readMember } from '../field-path.ts';
import { GROUP, VERSION } from '../manifest-schema.ts';
import type { Column, Kind } from './kinds.ts';
import { renderSchema } from './structural-schema.ts';

const renderColumn = ({ name, type, path, description, wide }: Column): Json => ({
  name,
  type,
  jsonPath: path,
  description,
  ...(wide === true ? { priority: 1 } : {}),
});

/** Every API server describes these itself. */
const HEADER: JsonObject = {
  apiVersion: { type: 'string', description: 'The version of this schema, corral.dev/v1alpha1.' },
  kind: { type: 'string', description: 'The kind of object.' },
  metadata: { type: 'object' },
};

function renderRoot({ schema }: Kind): JsonObject {
  const root = renderSchema(schema);
  const properties = readMember(root, 'properties') ?? {};
  const required = readMember(schema, 'required');
  const own = Array.isArray(required) ? required.filter((name) => !(name in HEADER)).map(String) : [];
  return {
    description: String(readMember(schema, 'description')),
    type: 'object',
    ...(own.length === 0 ? {} : { required: own }),
    properties: { ...HEADER, ...Object.fromEntries(Object.entries(properties).filter(([name]) => !(name in HEADER))) },
  };
}

/** The CustomResourceDefinition of a kind, as an object. */
export const makeCrd = (kind: Kind): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.plural}.${GROUP}` },
  spec: {
    group: GROUP,
    names: {
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.kind.toLowerCase(),
      shortNames: [kind.shortName],
      categories: ['corral'],
    },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        additionalPrinterColumns: kind.columns.map(renderColumn),
        ...(kind.hasStatus ? { subresources: { status: {} } } : {}),
        schema: { openAPIV3Schema: renderRoot(kind) },
      },
    ],
  },
});

/** The same as YAML. */
export const renderCrd = (kind: Kind): string =>
  `# Generated from src/api by npm run generate. Do not edit.\n${stringify(makeCrd(kind), { lineWidth: 0, aliasDuplicateObjects: false })}`;
