/** `value`, which came out of JSON, as JSON. Members that are `undefined` are left out; throws for what JSON cannot hold. */
export function toJson(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object') return toJsonMap(value);
  throw new Error(`a ${typeof value} is no JSON`);
}

/** The same of an object. */
export const toJsonMap = (value: object): JsonObject =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
      member === undefined ? [] : [[key, toJson(member)]],
    ),
  );

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

function mergeValues(below: Json | undefined, above: Json): Json {
  if (isMap(below) && isMap(above)) return mergeJson(below, above);
  if (isList(below) && isList(above)) return [...below, ...above];
  return above;
}

/** `above` over `below`: maps by key, lists appended, anything else replaced. */
export function mergeJson(below: JsonObject, above: JsonObject): JsonObject {
  const known = new Map(Object.entries(below));
  return {
    ...below,
    ...Object.fromEntries(Object.entries(above).map(([key, value]) => [key, mergeValues(known.get(key), value)])),
  };
}
import type { Json, JsonObject } from '../../domain/json.ts';
