import { hash } from 'node:crypto';
import { KEY_OPERATIONS, type ApiKey } from '../domain/api-key.ts';
import { decodeKeys, type DecodedKeys, type PlacedKey } from './decode-keys.ts';
import { parseLlamaKeys, readLlamaKeys, type LlamaKey, type LlamaKeys } from './llama-keys.ts';
import { formatPlace, type Problem } from './problem.ts';
import { asText, type FileBytes, type ReadFile } from './read-file.ts';

/** Where keys come from, as it was found at one moment. */
export interface KeyInputs {
  readonly keysFile: ReadFile<FileBytes> | undefined;
  /** llama-server's `--api-key-file`, which may be repeated. */
  readonly apiKeyFiles: readonly ReadFile<FileBytes>[];
  /** The values of llama-server's `--api-key`, which may be repeated. */
  readonly apiKeys: readonly string[];
}

/** All keys that are in force together, or all that is wrong with them: then none of these are. */
export type CollectedKeys =
  | { readonly ok: true; readonly keys: readonly ApiKey[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Takes the keys of all sources together. No two have an id or a key in common. */
export function collectKeys({ keysFile, apiKeyFiles, apiKeys }: KeyInputs): CollectedKeys {
  const own = keysFile === undefined ? NO_KEYS : decodeFile(keysFile);
  const given = apiKeys.map(parseLlamaKeys);
  const files = apiKeyFiles.map((read) => (read.ok ? readLlamaKeys(read.file) : unread(read.problem)));
  const theirs = [
    ...given.flatMap(({ keys }) => keys).map((key, index) => llamaKey(key, `api-key/${index + 1}`)),
    ...files.flatMap(({ keys }, index) => keys.map((key) => llamaKey(key, fileKeyId(index, key)))),
  ];
  const placed = own.ok ? own.keys : [];
  const problems = [
    ...(own.ok ? [] : own.problems),
    ...[...given, ...files].flatMap((one) => one.problems),
    ...findRepeated(placed),
    ...findShared(placed, theirs),
  ];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, keys: [...placed.map(({ key }) => key), ...unique(theirs)] };
}

const NO_KEYS: DecodedKeys = { ok: true, keys: [] };

function decodeFile(read: ReadFile<FileBytes>): DecodedKeys {
  const text = read.ok ? asText(read.file) : read;
  return text.ok ? decodeKeys(text.file) : { ok: false, problems: [text.problem] };
}

const unread = (problem: Problem): LlamaKeys => ({ keys: [], problems: [problem] });

/** With a slash, which ids of a keys file do not have. */
const fileKeyId = (file: number, { site }: LlamaKey): string =>
  `api-key-file${file === 0 ? '' : `-${file + 1}`}/${String(site.line)}`;

/** llama-server knows no rights: whoever has a key may do everything. */
const llamaKey = ({ key }: LlamaKey, id: string): ApiKey => ({
  id,
  sha256: hash('sha256', key),
  models: ['*'],
  operations: KEY_OPERATIONS,
  maxInFlight: undefined,
});

/** The same key twice has the same rights, and is one. */
const unique = (keys: readonly ApiKey[]): ApiKey[] =>
  [...new Map(keys.toReversed().map((key) => [key.sha256, key])).values()].toReversed();

function findRepeated(placed: readonly PlacedKey[]): Problem[] {
  const first = new Map(placed.toReversed().map((one) => [one.key.sha256, one]));
  return placed.flatMap((one) => {
    const other = first.get(one.key.sha256);
    if (other === undefined || other === one) return [];
    const reason = `${formatPlace(other.site)} has this sha256 already: two clients would share a key`;
    return [{ ...one.site, reason, fix: 'Remove one, or have a new key made by corral key.' }];
  });
}

function findShared(placed: readonly PlacedKey[], theirs: readonly ApiKey[]): Problem[] {
  const known = new Map(theirs.map((key) => [key.sha256, key.id]));
  return placed.flatMap(({ key, site }) => {
    const id = known.get(key.sha256);
    if (id === undefined) return [];
    const reason = `this is the hash of ${id}, which may do everything`;
    return [{ ...site, reason, fix: 'Take the key out of one of the two places.' }];
  });
}
