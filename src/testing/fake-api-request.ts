import type { Json, JsonObject } from '../domain/json.ts';
import { resourceKey, type FakeResource } from './fake-api-resources.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';

export type FakeVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** A call as it came. */
export interface FakeRequest {
  readonly verb: FakeVerb;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly resource: FakeResource;
  /** Empty for a call about all namespaces, or about an object that has none. */
  readonly namespace: string;
  /** Empty for a call about a collection. */
  readonly name: string;
  readonly subresource: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  /** Of a JSON patch, what it names: the values that it tests or sets, at their places. */
  readonly body: JsonObject;
}

/** What a call must be to be meant; what is missing may be anything. */
export interface FakeMatch {
  readonly verb?: FakeVerb;
  /** For instance `pods`. */
  readonly plural?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Anything else. */
  readonly where?: (request: FakeRequest) => boolean;
}

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

export function matches(request: FakeRequest, match: FakeMatch): boolean {
  const { verb, plural, namespace, name, subresource, where } = match;
  const pairs: readonly (readonly [string | undefined, string])[] = [
    [verb, request.verb],
    [plural, request.resource.plural],
    [namespace, request.namespace],
    [name, request.name],
    [subresource, request.subresource],
  ];
  return pairs.every(([wanted, got]) => wanted === undefined || wanted === got) && where?.(request) !== false;
}

/** A JSON patch (RFC 6902). */
export const JSON_PATCH = 'application/json-patch+json';

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;

/** `undefined`: a path or method that the server does not have. */
export function parseRequest(raw: RawRequest, resources: readonly FakeResource[]): FakeRequest | undefined {
  const url = new URL(raw.url, 'http://fake');
  const groups = PATH.exec(url.pathname)?.groups;
  if (groups === undefined) return undefined;
  const parts = new Map(Object.entries(groups));
  const part = (name: string): string => {
    const text = parts.get(name);
    return text === undefined ? '' : decodeURIComponent(text);
  };
  const key = resourceKey({ group: part('group'), version: part('version'), plural: part('plural'), namespaced: true });
  const resource = resources.find((known) => resourceKey(known) === key);
  const verb = verbOf(raw.method, part('name') === '', url.searchParams);
  if (resource === undefined || verb === undefined) return undefined;
  return {
    verb,
    method: raw.method,
    path: url.pathname,
    query: url.searchParams,
    resource,
    namespace: part('namespace'),
    name: part('name'),
    subresource: part('subresource'),
    authorization: raw.authorization,
    contentType: raw.contentType,
    body: raw.contentType === JSON_PATCH ? namedBy(parsePatch(raw.body)) : parseBody(raw.body),
  };
}

function verbOf(method: string, isCollection: boolean, query: URLSearchParams): FakeVerb | undefined {
  if (isCollection) {
    if (method === 'POST') return 'create';
    if (method !== 'GET') return undefined;
    return query.get('watch') === 'true' ? 'watch' : 'list';
  }
  const verbs = new Map<string, FakeVerb>([
    ['GET', 'get'],
    ['PUT', 'update'],
    ['PATCH', 'patch'],
    ['DELETE', 'delete'],
  ]);
  return verbs.get(method);
}

function parseBody(text: string): JsonObject {
  const body: unknown = text === '' ? {} : JSON.parse(text);
  return isJsonObject(body) ? body : {};
}

interface Operation {
  readonly path: string;
  readonly value: Json;
}

function parsePatch(text: string): readonly Operation[] {
  const operations: unknown = JSON.parse(text);
  return Array.isArray(operations) && operations.every(isOperation) ? operations : [];
}

const isOperation = (value: unknown): value is Operation =>
  isJsonObject(value) && typeof value['path'] === 'string' && value['value'] !== undefined;

const namedBy = (operations: readonly Operation[]): JsonObject =>
  operations.reduce<JsonObject>((body, { path, value }) => {
    const at = path
      .split('/')
      .slice(1)
      .reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
    const named = mergePatch(body, at);
    return isJsonObject(named) ? named : body;
  }, {});
