import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { admit } from './admit.ts';
import { checkManifest } from './check-manifest.ts';
import { readMember } from './field-path.ts';
import {
  API_VERSION,
  type ModelDeployment,
  ModelDeploymentSchema,
  type ModelPool,
  ModelPoolSchema,
} from './manifest-schema.ts';
import { suggest } from './nearest.ts';
import { type Problem, formatPlace } from './problem.ts';
import { type YamlDocument, readYaml } from './read-yaml.ts';
import { findPresets } from './wrong-kind.ts';

/** An object that an API server would accept. */
export type ReadManifest =
  | { readonly kind: 'ModelDeployment'; readonly object: ModelDeployment; readonly document: YamlDocument }
  | { readonly kind: 'ModelPool'; readonly object: ModelPool; readonly document: YamlDocument };

export interface ReadManifests {
  readonly manifests: readonly ReadManifest[];
  /** Objects of these kinds that an API server would refuse: what else is wrong with them may still be told. */
  readonly refused: readonly YamlDocument[];
  /** Why, and what could not be read at all. */
  readonly problems: readonly Problem[];
}

const SCHEMAS: ReadonlyMap<unknown, TSchema> = new Map<unknown, TSchema>([
  ['ModelDeployment', ModelDeploymentSchema],
  ['ModelPool', ModelPoolSchema],
]);

function refuseKind(document: YamlDocument, kind: unknown): Problem {
  const near = typeof kind === 'string' ? suggest(kind, ['ModelDeployment', 'ModelPool']) : {};
  const reason = 'corral serve reads ModelDeployment and ModelPool only';
  return { ...document.siteOfValue(['kind']), reason, ...near };
}

function readObject(document: YamlDocument, value: object): ReadManifest {
  const object = { ...value, status: {} };
  if (Value.Check(ModelDeploymentSchema, object)) return { kind: 'ModelDeployment', object, document };
  if (Value.Check(ModelPoolSchema, object)) return { kind: 'ModelPool', object, document };
  throw new Error(`${formatPlace(document.siteOfValue([]))}: the check of a manifest missed a fault`);
}

const refuse = (problem: Problem): ReadManifests => ({ manifests: [], refused: [], problems: [problem] });

function readDocument(document: YamlDocument): ReadManifests {
  const kind = readMember(document.value, 'kind');
  const schema = SCHEMAS.get(kind);
  if (schema === undefined) return refuse(refuseKind(document, kind));
  if (readMember(document.value, 'apiVersion') !== API_VERSION) {
    // Another project has a kind of the same name, with other fields: nothing more can be said about it.
    return refuse({ ...document.siteOfValue(['apiVersion']), reason: `must be ${API_VERSION}` });
  }
  const value = admit(schema, document.value);
  const problems = checkManifest(document, value, schema);
  if (problems.length > 0 || typeof value !== 'object' || value === null) {
    return { manifests: [], refused: [document], problems };
  }
  return { manifests: [readObject(document, value)], refused: [], problems };
}

/**
 * Reads YAML with ModelDeployment (modeldeployments.corral.dev) and ModelPool (modelpools.corral.dev) objects, and gives each
 * the verdict that an API server with Corral's CRDs gives it.
 */
export function readManifests(text: string, file: string): ReadManifests {
  const { documents, problems } = readYaml(text, file);
  const values = documents.map(({ value }) => value);
  const presets = findPresets(text, values, file);
  if (presets !== undefined) return refuse(presets);
  const read = documents.map(readDocument);
  const nothing = documents.length === 0 && problems.length === 0;
  return {
    manifests: read.flatMap(({ manifests }) => manifests),
    refused: read.flatMap(({ refused }) => refused),
    problems: [
      ...problems,
      ...read.flatMap((one) => one.problems),
      ...(nothing ? [{ file, reason: 'the file holds neither a ModelDeployment nor a ModelPool' }] : []),
    ],
  };
}
