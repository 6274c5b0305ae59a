import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import { Value } from 'typebox/value';

/** A place in a file, its line counted from 0. */
export interface Place {
  readonly url: string;
  readonly lineNumber: number;
}

/** esbuild writes it above each source that it has put into a bundle. */
const SOURCE = /^ *\/\/ (\S+\.[cm]?[jt]s)$/u;

/** Looks up where places of bundles come from. A place of anything else, which has no map and no such comments, is what it was. */
export function makeUnbundle(): (place: Place) => Place {
  const files = new Map<string, Unbundle>();
  return (place) => {
    if (!place.url.startsWith('file:')) return place;
    const found = files.get(place.url);
    if (found !== undefined) return found(place);
    const made = read(fileURLToPath(place.url));
    files.set(place.url, made);
    return made(place);
  };
}

/** As bundles have it, see scripts/lean-source-map.ts. */
const SourceMapSchema = Type.Object({
  version: Type.Number(),
  sources: Type.Array(Type.String()),
  mappings: Type.String(),
});

function readMap(path: string): SourceMap {
  const map = Value.Parse(SourceMapSchema, JSON.parse(readFileSync(path, 'utf8')));
  return new SourceMap({ ...map, file: path, names: [], sourcesContent: [], sourceRoot: '' });
}

type Unbundle = (place: Place) => Place;

function read(path: string): Unbundle {
  if (!existsSync(path)) return (place) => place;
  const lines = readFileSync(path, 'utf8').split('\n');
  const map = existsSync(`${path}.map`) ? readMap(`${path}.map`) : undefined;
  return (place) => {
    const own = map?.findEntry(place.lineNumber, Infinity);
    if (own !== undefined && 'originalSource' in own && typeof own.originalSource === 'string') {
      return { url: own.originalSource, lineNumber: own.originalLine };
    }
    const source = lines.slice(0, place.lineNumber + 1).findLast((line) => SOURCE.test(line));
    const [, url] = source === undefined ? [] : (SOURCE.exec(source) ?? []);
    return url === undefined ? place : { url, lineNumber: place.lineNumber };
  };
}
