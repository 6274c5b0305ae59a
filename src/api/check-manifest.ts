import type { TSchema } from 'typebox';
import { type Fault, checkObject } from './check-object.ts';
import type { Problem } from './problem.ts';
import type { YamlDocument } from './read-yaml.ts';

/** `sort` is stable, and a place without a line does not occur in a document that could be read. */
export function byPlace(a: Problem, b: Problem): number {
  const lines = Number(a.line) - Number(b.line);
  return lines === 0 ? Number(a.column) - Number(b.column) : lines;
}

/** Says where in the file a fault is. */
export function siteFault(document: YamlDocument, { path, at, reason, fix }: Fault): Problem {
  const site = at === 'name' ? document.siteOfKey(path) : document.siteOfValue(path);
  return { ...site, reason, ...(fix === undefined ? {} : { fix }) };
}

/** A status is dropped where an object is created, so that only its fields' names are looked at. */
const isSeen = ({ path, at }: Fault): boolean => path[0] !== 'status' || at === 'name';

/** Every fault for which an API server would refuse the object, in the order of their places. */
export const checkManifest = (document: YamlDocument, value: unknown, schema: TSchema): Problem[] =>
  checkObject(value, schema)
    .filter(isSeen)
    .map((fault) => siteFault(document, fault))
    .sort(byPlace);
