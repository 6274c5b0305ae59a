import type { TSchema } from 'typebox';
import type Type from 'typebox';
import { Value } from 'typebox/value';
import { checkManifest } from '../../api/check-manifest.ts';
import type { Problem } from '../../api/problem.ts';
import { readYaml, type YamlDocument } from '../../api/read-yaml.ts';

/** What a file says, or everything that is wrong with it. */
export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/** The one document of a YAML file. */
export function readOneDocument(text: string, file: string): Checked<YamlDocument> {
  const { documents, problems } = readYaml(text, file);
  if (problems.length > 0) return { ok: false, problems };
  const [document, more] = documents;
  if (document === undefined) return { ok: false, problems: [{ file, reason: 'the file says nothing' }] };
  if (more === undefined) return { ok: true, value: document };
  return { ok: false, problems: [{ ...more.siteOfValue([]), reason: 'there is more than one document' }] };
}

/** The document as its schema has it. */
export function checkDocument<Schema extends TSchema>(
  document: YamlDocument,
  schema: Schema,
): Checked<Type.Static<Schema>> {
  const problems = checkManifest(document, document.value, schema);
  if (problems.length > 0) return { ok: false, problems };
  if (!Value.Check(schema, document.value)) throw new Error('a document without faults does not fit its schema');
  return { ok: true, value: document.value };
}
