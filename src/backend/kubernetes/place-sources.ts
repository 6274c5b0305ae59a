import { createHash } from 'node:crypto';
import type { JsonObject } from '../../domain/json.ts';
import type { ModelSource, PodSettings } from '../../api/cluster/pod-settings.ts';
import { OWN_FOLDER, OWN_VOLUMES } from './find-pod-fault.ts';

/** Where llama-server keeps what it downloads, unless the user says otherwise. */
export const CACHE_FOLDER = `${OWN_FOLDER}/cache`;
const CACHE = 'cache';

/** A volume of Corral's, with its mount in the llama-server. */
export interface PlacedVolume {
  readonly volume: JsonObject;
  readonly mount: JsonObject;
}

/** What a pod's files are read from. */
type Sourced = Pick<PodSettings, 'source' | 'files'>;

/** A volume that holds sources, by a key that they share; `undefined`: the source needs none of Corral's. */
interface Holder {
  readonly key: string;
  readonly volume: JsonObject;
  readonly isReadOnly: boolean;
}

function holderOf(source: ModelSource): Holder | undefined {
  switch (source.kind) {
    case 'path':
      return undefined;
    case 'persistentVolumeClaim': {
      const { kind, claimName } = source;
      const volume = { persistentVolumeClaim: { claimName, readOnly: true } };
      return { key: JSON.stringify([kind, claimName]), volume, isReadOnly: true };
    }
    case 'image': {
      const { kind, reference } = source;
      return { key: JSON.stringify([kind, reference]), volume: { image: { reference } }, isReadOnly: true };
    }
    case 'url':
    case 'huggingFace':
      return { key: CACHE, volume: { emptyDir: {} }, isReadOnly: false };
  }
}

type Remote = Extract<ModelSource, { readonly kind: 'url' }>;

/** A link that differs for what differs. */
const fetchedPath = ({ url, sha256 = '' }: Remote): string =>
  `${CACHE_FOLDER}/fetched/${createHash('sha256').update(`${sha256} ${url}`).digest('hex').slice(0, 16)}.gguf`;

/** A file that is downloaded before llama-server starts. */
export interface Fetch {
  readonly name: string;
  readonly source: Remote;
  /** Where it is wanted. */
  readonly path: string;
}

const nameSources = ({ source, files }: Sourced): readonly (readonly [string, ModelSource])[] => [
  ['model', source],
  ...files.map((file, index) => [`file-${index}`, file.source] as const),
];

/** All of them, each once. */
export function listFetches(sourced: Sourced): Fetch[] {
  const all = nameSources(sourced).flatMap(([name, source]): Fetch[] =>
    source.kind === 'url' ? [{ name, source, path: fetchedPath(source) }] : [],
  );
  return all.filter(({ path }, index) => all.findIndex((other) => other.path === path) === index);
}

interface NamedHolder extends Holder {
  readonly name: string;
}

/** Each holder once, under the name of the first source that it holds: the model's first. */
function listHolders(sourced: Sourced): NamedHolder[] {
  const holders = nameSources(sourced).flatMap(([name, one]) => {
    const holder = holderOf(one);
    return holder === undefined ? [] : [{ ...holder, name: holder.key === CACHE ? CACHE : name }];
  });
  return holders.filter(({ key }, index) => holders.findIndex((other) => other.key === key) === index);
}

/** The volumes that the model and its further files lie in. */
export const placeSources = (sourced: Sourced): PlacedVolume[] =>
  listHolders(sourced).map(({ name, volume, isReadOnly }) => ({
    volume: { name: `${OWN_VOLUMES}${name}`, ...volume },
    mount: {
      name: `${OWN_VOLUMES}${name}`,
      mountPath: `${OWN_FOLDER}/${name}`,
      ...(isReadOnly ? { readOnly: true } : {}),
    },
  }));

/** Where a source of them lies in the pod. Of what llama-server downloads only llama-server knows. */
export function pathIn(sourced: Sourced, source: Exclude<ModelSource, { readonly kind: 'huggingFace' }>): string {
  if (source.kind === 'path') return source.path;
  if (source.kind === 'url') return fetchedPath(source);
  const key = holderOf(source)?.key;
  const holder = listHolders(sourced).find((one) => one.key === key);
  if (holder === undefined) throw new Error('a source that is none of the pod');
  return `${OWN_FOLDER}/${holder.name}/${source.path}`;
}
