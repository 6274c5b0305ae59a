import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { packageFolderOf } from './notices.ts';

/** ECMA-426, without the parts that no bundle has. */
const SourceMapSchema = Type.Object({
  version: Type.Literal(3),
  sources: Type.Array(Type.String()),
  mappings: Type.String(),
});

/** From here on: of which line of which source the code is, or of no source of ours. */
interface Origin {
  readonly source: number | undefined;
  readonly line: number;
}

/**
 * A source map (as JSON) of the lines of our own sources, without columns, names, and what it tells about packages. Node keeps
 * what it has once read from a map, with an array for each mapping; of a whole map that is more than the program takes.
 * `undefined`: it is a map of packages only.
 */
export function leanSourceMap(json: string): string | undefined {
  const { version, sources, mappings } = Value.Parse(SourceMapSchema, JSON.parse(json));
  const own = sources.filter((source) => packageFolderOf(source) === undefined);
  if (own.length === 0) return undefined;
  const placeOf = (index: number): number | undefined => {
    const place = own.indexOf(String(sources[index]));
    return place === -1 ? undefined : place;
  };
  return JSON.stringify({
    version,
    sources: own,
    names: [],
    mappings: encode(leanMappings(decode(mappings), placeOf)),
  });
}

/** Where a package begins it says so: readers of maps take what nothing is said of for part of what is before it. */
function leanMappings(
  lines: readonly (readonly SourceMapSegment[])[],
  placeOf: (source: number) => number | undefined,
): SourceMapSegment[][] {
  let last: Origin = { source: undefined, line: 0 };
  return lines.map((segments) =>
    segments.flatMap((segment): SourceMapSegment[] => {
      const origin = originOf(segment, placeOf);
      const same = origin.source === last.source && origin.line === last.line;
      last = origin;
      if (same) return [];
      return [origin.source === undefined ? [segment[0]] : [segment[0], origin.source, origin.line, 0]];
    }),
  );
}

function originOf(segment: SourceMapSegment, placeOf: (source: number) => number | undefined): Origin {
  const source = segment.length === 1 ? undefined : placeOf(segment[1]);
  return source === undefined || segment.length === 1 ? { source: undefined, line: 0 } : { source, line: segment[2] };
}
