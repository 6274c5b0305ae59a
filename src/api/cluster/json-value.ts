import type { JsonMap, JsonValue } from './pod-settings.ts';

/** `value`, which came out of JSON, as JSON. Members that are `undefined` are left out; throws for what JSON cannot hold. */
export function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object') return toJsonMap(value);
  throw new Error(`a ${typeof value} is no JSON`);
}

/** The same of an object. */
export const toJsonMap = (value: object): JsonMap =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
      member === undefined ? [] : [[key, toJson(member)]],
    ),
  );

const isMap = (value: JsonValue | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

function mergeValues(below: JsonValue | undefined, above: JsonValue): JsonValue {
  if (isMap(below) && isMap(above)) return mergeJson(below, above);
  if (isList(below) && isList(above)) return [...below, ...above];
  return above;
}

/** `above` over `below`: maps by key, lists appended, anything else replaced. */
export function mergeJson(below: JsonMap, above: JsonMap): JsonMap {
  const known = new Map(Object.entries(below));
  return {
    ...below,
    ...Object.fromEntries(Object.entries(above).map(([key, value]) => [key, mergeValues(known.get(key), value)])),
  };
}
