import type { JsonObject } from '../domain/json.ts';
import { decodeObject } from '../kube/decode-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { resourceKey, type FakeResource } from './fake-api-resources.ts';
import { isJsonObject } from './merge-patch.ts';

/** One change of one object, as watches tell it. */
export interface FakeChange {
  readonly version: number;
  readonly resource: FakeResource;
  /** `undefined`: it was created by this. */
  readonly before: JsonObject | undefined;
  /** `undefined`: it was removed by this. */
  readonly after: JsonObject | undefined;
}

export interface FakeKey {
  readonly resource: FakeResource;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

const FIRST_VERSION = 1000;

/** The objects of a fake API server and all their changes, under one growing resourceVersion. Checks nothing. */
export class FakeApiStore {
  readonly #objects = new Map<string, { readonly resource: FakeResource; readonly object: JsonObject }>();
  readonly #changes: FakeChange[] = [];
  readonly #listeners: ((change: FakeChange) => void)[] = [];
  #version = FIRST_VERSION;
  #compacted = 0;
  #uids = 0;

  get version(): number {
    return this.#version;
  }

  onChange(listener: (change: FakeChange) => void): void {
    this.#listeners.push(listener);
  }

  newUid(): string {
    this.#uids += 1;
    return `00000000-0000-4000-8000-${String(this.#uids).padStart(12, '0')}`;
  }

  find(key: FakeKey): JsonObject | undefined {
    return this.#objects.get(pathOf(key))?.object;
  }

  /** In the order of their keys, as etcd has them. With no namespace: of all. */
  list(resource: FakeResource, namespace: string | undefined): readonly JsonObject[] {
    const prefix = `${resourceKey(resource)}|${namespace === undefined ? '' : `${namespace}|`}`;
    return [...this.#objects]
      .filter(([path]) => path.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
  }

  /** All objects of all kinds with the kind's key. */
  entries(): readonly (readonly [FakeKey, JsonObject])[] {
    return [...this.#objects.values()].map(({ resource, object }) => [keyOf(resource, object), object]);
  }

  /** Stores an object under the next version, which it gets, and returns it. */
  write(resource: FakeResource, object: JsonObject): JsonObject {
    const key = keyOf(resource, object);
    const before = this.find(key);
    this.#version += 1;
    const after = withMeta(object, { resourceVersion: String(this.#version) });
    this.#objects.set(pathOf(key), { resource, object: after });
    this.#record({ version: this.#version, resource, before, after });
    return after;
  }

  /** Removes an object at the next version. Without effect if there is none. */
  remove(key: FakeKey): void {
    const before = this.find(key);
    if (before === undefined) return;
    this.#version += 1;
    this.#objects.delete(pathOf(key));
    this.#record({ version: this.#version, resource: key.resource, before, after: undefined });
  }

  /** Forgets all history: what wants to go on from before now must list again. */
  compact(): void {
    this.#compacted = this.#version;
    this.#changes.length = 0;
  }

  /** All changes after `version`; `undefined`: they are forgotten. */
  changesSince(version: number): readonly FakeChange[] | undefined {
    return version < this.#compacted ? undefined : this.#changes.filter((change) => change.version > version);
  }

  #record(change: FakeChange): void {
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}

const pathOf = ({ resource, namespace, name }: FakeKey): string => `${resourceKey(resource)}|${namespace}|${name}`;

export function keyOf(resource: FakeResource, object: JsonObject): FakeKey {
  const { namespace, name } = metaOf(object);
  if (typeof name !== 'string') throw new TypeError(`${resource.plural}: an object without a name`);
  return { resource, namespace: typeof namespace === 'string' ? namespace : '', name };
}

export const metaOf = (object: JsonObject): JsonObject => childOf(object, 'metadata');

/** A field that is an object, or an empty one. */
export function childOf(object: JsonObject, field: string): JsonObject {
  const child = object[field];
  return isJsonObject(child) ? child : {};
}

export const withMeta = (object: JsonObject, meta: JsonObject): JsonObject => ({
  ...object,
  metadata: { ...metaOf(object), ...meta },
});

/** A copy for a test to look at. */
export function asKubeObject(object: JsonObject): KubeObject {
  const copy = decodeObject(structuredClone(object));
  if (copy === undefined) throw new TypeError(`not an object with metadata: ${JSON.stringify(object)}`);
  return copy;
}
