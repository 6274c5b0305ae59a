import { Value } from 'typebox/value';
import type { ApiKey } from '../domain/api-key.ts';
import { checkObject, type Fault } from './check-object.ts';
import { formatField, readMember, type FieldPath } from './field-path.ts';
import { KeysFileSchema } from './key-schema.ts';
import { formatPlace, type Problem, type Site } from './problem.ts';
import type { SourceFile } from './read-file.ts';
import { readYaml, type YamlDocument } from './read-yaml.ts';

/** The keys of a file, or all that is wrong with it. */
export type DecodedKeys =
  | { readonly ok: true; readonly keys: readonly PlacedKey[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A key, and where its hash stands. */
export interface PlacedKey {
  readonly key: ApiKey;
  readonly site: Site;
}

/** What people call the field in which they would write the key itself. */
const CLEAR_TEXT: ReadonlySet<unknown> = new Set(['key', 'apiKey', 'api_key', 'token', 'secret', 'value', 'password']);
/** A longer name of a field could be a key in the wrong place. */
const LONGEST_SHOWN = 20;

const HOW_TO_HASH =
  "Write its hash as sha256, which printf %s 'KEY' | sha256sum prints, or have a new key made by corral key.";

/** `corral key >> FILE` writes into the first column, whatever stands in the file. */
const HOW_TO_LIST = 'Begin each `- id:` in the same column, and take `[]` away behind keys:.';

/** Reads a keys file. Nothing that stands in it is repeated in a problem but its fields' names: any of it could be a key. */
export function decodeKeys({ file, text }: SourceFile): DecodedKeys {
  const { documents, problems } = readYaml(text, file);
  const broken = explainBroken(problems, text);
  const [document, ...more] = documents;
  if (broken.length > 0) return { ok: false, problems: broken };
  if (document === undefined || more.length > 0) {
    const reason = document === undefined ? 'the file holds nothing' : 'the file holds more than one document';
    return { ok: false, problems: [{ file, reason, fix: 'Write one list under keys:, which may be empty.' }] };
  }
  return decodeDocument(document);
}

/** The parser's own words quote what they are about, and are several for one place. */
function explainBroken(problems: readonly Problem[], text: string): readonly Problem[] {
  const places = new Map(problems.map((problem) => [formatPlace(problem), problem]));
  const entries = new Set(text.split('\n').flatMap((line, index) => (/^ *- /u.test(line) ? [index + 1] : [])));
  return [...places.values()].map((problem) => {
    const isEntry = problem.line !== undefined && entries.has(problem.line);
    return { ...problem, reason: 'this is not valid YAML', ...(isEntry ? { fix: HOW_TO_LIST } : {}) };
  });
}

function decodeDocument(document: YamlDocument): DecodedKeys {
  const { value } = document;
  const faults = checkObject(value, KeysFileSchema, () => '');
  if (faults.length > 0) return { ok: false, problems: faults.map((fault) => problemOf(document, fault)) };
  if (!Value.Check(KeysFileSchema, value)) throw new Error('the check of a keys file missed a fault');
  return {
    ok: true,
    keys: value.keys.map(({ id, sha256, models = ['*'], operations = ['infer'], maxInFlight }, index) => ({
      key: { id, sha256: sha256.toLowerCase(), models, operations, maxInFlight },
      site: document.siteOfValue(['keys', index, 'sha256']),
    })),
  };
}

function problemOf(document: YamlDocument, { path, at, reason, fix }: Fault): Problem {
  const place = at === 'name' ? document.siteOfKey(path) : document.siteOfValue(path);
  const site = hideField(place, path);
  if (at === 'name' && CLEAR_TEXT.has(path.at(-1))) {
    return { ...site, reason: 'a key must not stand in this file in clear text', fix: HOW_TO_HASH };
  }
  if (isUnfinished(document, path)) {
    return { ...site, reason: 'the file holds no key yet', fix: `Add one: corral key --id NAME >> ${site.file}` };
  }
  return { ...site, reason, ...(fix === undefined ? {} : { fix }) };
}

/** The file is made in two steps, of which the first writes `keys:` alone. */
const isUnfinished = ({ value }: YamlDocument, path: FieldPath): boolean =>
  formatField(path) === 'keys' && readMember(value, 'keys') === null;

const hideField = (site: Site, path: FieldPath): Site => {
  const isLong = path.some((part) => typeof part === 'string' && part.length > LONGEST_SHOWN);
  return isLong ? { ...site, field: 'a field' } : site;
};
