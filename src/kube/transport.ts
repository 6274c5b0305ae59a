import type { JsonObject } from '../domain/json.ts';
import { seconds, type Duration } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { decodeObject, decodePage, decodeUnstored, type ObjectPage } from './decode-object.ts';
import { HttpCalls, what, type HttpCall } from './http-calls.ts';
import {
  ApiUnreachable,
  isExpired,
  isNotFound,
  type Deletion,
  type KubeApi,
  type NewObject,
  type ObjectList,
  type Patch,
  type Scope,
  type StatusChange,
  type WatchEvent,
} from './kube-api.ts';
import type { KubeObject, ObjectRef, Resource } from './kube-object.ts';
import { readWithRetry } from './read-with-retry.ts';
import { collectionPath, objectPath } from './resource-path.ts';
import type { Timers } from './timers.ts';
import { WatchLines } from './watch-lines.ts';

/** Of one page, in objects: each is read and checked at once, and holds everything else up meanwhile. */
const PAGE_SIZE = 100;
/** A list that takes longer than the server keeps its history begins again; one that always does is given up. */
const MOST_LISTS = 3;
/** The server ends a watch after a time from this range, which spreads the reconnects of many. In seconds. */
const WATCH_SECONDS = { least: 240, most: 480 };

export interface TransportOptions {
  readonly timers: Timers;
  /** Told when the certificate authorities change. */
  readonly log: Log;
  readonly userAgent?: string;
  /** Of one call, 10 s unless given. */
  readonly callTimeout?: Duration;
  /** Of one write, as `callTimeout` unless given. */
  readonly writeTimeout?: Duration;
  /** Asked at the very moment at which a write goes out: why it must not; `undefined`: it may. Nothing forbids it unless given. */
  readonly whyNotWrite?: () => string | undefined;
}

/** A client of one API server over shared connections. `close` breaks off all that is on its way. */
export interface KubeConnection extends KubeApi {
  close(): Promise<void>;
}

/** Connects to nothing yet. Throws if the certificate authorities cannot be read. */
export function createKubeApi(access: ClusterAccess, options: TransportOptions): KubeConnection {
  const { timers, log, userAgent = 'corral', callTimeout = seconds(10), writeTimeout = callTimeout } = options;
  const { whyNotWrite = () => undefined } = options;
  const parts = { access, timers, log, userAgent, timeout: callTimeout, writeTimeout, whyNotWrite };
  return new Transport(new HttpCalls(parts), timers);
}

class Transport implements KubeConnection {
  readonly #calls: HttpCalls;
  readonly #timers: Timers;

  constructor(calls: HttpCalls, timers: Timers) {
    this.#calls = calls;
    this.#timers = timers;
  }

  async get(resource: Resource, ref: ObjectRef): Promise<KubeObject | undefined> {
    const call: HttpCall = { method: 'GET', path: objectPath(resource, ref) };
    try {
      return stored(call, await readWithRetry(this.#calls, this.#timers, call));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(resource: Resource, scope: Scope, signal?: AbortSignal): Promise<ObjectList> {
    for (let lists = 1; ; lists += 1) {
      try {
        return await this.#allPages(resource, scope, signal);
      } catch (error) {
        if (!isExpired(error) || lists === MOST_LISTS) throw error;
      }
    }
  }

  async create(resource: Resource, object: NewObject, { dryRun = false } = {}): Promise<KubeObject> {
    const query = new Map([['fieldValidation', 'Strict']]);
    if (dryRun) query.set('dryRun', 'All');
    const namespace = object.metadata['namespace'];
    if (resource.namespaced && typeof namespace !== 'string') {
      throw new TypeError(`${resource.plural} ${object.metadata.name}: no namespace`);
    }
    const path = collectionPath(resource, typeof namespace === 'string' ? namespace : undefined);
    const call: HttpCall = { method: 'POST', path, query, body: object };
    const answer = await this.#calls.json(call);
    return dryRun ? whole(call, decodeUnstored(answer)) : stored(call, answer);
  }

  async replace(resource: Resource, object: KubeObject): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    const path = objectPath(resource, { namespace, name });
    return this.#write({ method: 'PUT', path, body: object });
  }

  async patch(resource: Resource, ref: ObjectRef, patch: Patch): Promise<KubeObject> {
    const path = objectPath(resource, ref);
    const contentType = 'application/merge-patch+json';
    return this.#write({ method: 'PATCH', path, contentType, body: withIdentity(patch) });
  }

  async replaceStatus(resource: Resource, ref: ObjectRef, change: StatusChange): Promise<KubeObject> {
    const path = objectPath(resource, ref, 'status');
    const contentType = 'application/json-patch+json';
    return this.#write({ method: 'PATCH', path, contentType, body: statusOperations(change) });
  }

  async delete(resource: Resource, ref: ObjectRef, deletion: Deletion): Promise<void> {
    try {
      await this.#calls.json({ method: 'DELETE', path: objectPath(resource, ref), body: deleteOptions(deletion) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async *watch(resource: Resource, scope: Scope, from: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const { least, most } = WATCH_SECONDS;
    const timeoutSeconds = Math.floor(least + this.#timers.random() * (most - least));
    const query = new Map([
      ['watch', 'true'],
      ['allowWatchBookmarks', 'true'],
      ['resourceVersion', from],
      ['timeoutSeconds', String(timeoutSeconds)],
      ...selection(scope),
    ]);
    const call: HttpCall = { method: 'GET', path: collectionPath(resource, scope.namespace), query, signal };
    const lines = new WatchLines(what(call));
    for await (const piece of unreachableIfBroken(call, await this.#calls.stream(call))) yield* lines.push(piece);
    lines.end();
  }

  async #allPages(resource: Resource, scope: Scope, signal: AbortSignal | undefined): Promise<ObjectList> {
    const first = await this.#page(resource, scope, { next: undefined, signal });
    const items = [...first.items];
    for (let { next } = first; next !== undefined;) {
      const page = await this.#page(resource, scope, { next, signal });
      items.push(...page.items);
      next = page.next;
    }
    return { items, resourceVersion: first.resourceVersion };
  }

  async #page(
    resource: Resource,
    scope: Scope,
    { next, signal }: { next: string | undefined; signal: AbortSignal | undefined },
  ): Promise<ObjectPage> {
    const query = new Map([['limit', String(PAGE_SIZE)], ...selection(scope)]);
    if (next !== undefined) query.set('continue', next);
    const call: HttpCall = { method: 'GET', path: collectionPath(resource, scope.namespace), query, signal };
    return whole(call, decodePage(await readWithRetry(this.#calls, this.#timers, call)));
  }

  async #write(call: HttpCall): Promise<KubeObject> {
    return stored(call, await this.#calls.json(call));
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }
}

const selection = ({ labelSelector, fieldSelector }: Scope): [string, string][] =>
  Object.entries({ labelSelector, fieldSelector }).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, value]],
  );

const stored = (call: HttpCall, answer: unknown): KubeObject => whole(call, decodeObject(answer));

function whole<T>(call: HttpCall, decoded: T | undefined): T {
  if (decoded === undefined) throw new ApiUnreachable(`${what(call)}: the answer is nothing that Kubernetes says`);
  return decoded;
}

function withIdentity({ uid, resourceVersion, body }: Patch): JsonObject {
  const metadata = isJsonObject(body['metadata']) ? body['metadata'] : {};
  const identity = resourceVersion === undefined ? { uid } : { uid, resourceVersion };
  return { ...body, metadata: { ...metadata, ...identity } };
}

/**
 * A JSON patch (RFC 6902), since it can test the uid. Of a merge patch to the status of a custom resource the API server takes nothing
 * but the status and the `resourceVersion`, so that the uid of an object that is gone would be passed over, and the status written to
 * whatever has its name now (Kubernetes v1.34, apiextensions-apiserver, statusStrategy.PrepareForUpdate).
 */
const statusOperations = ({ uid, resourceVersion, status }: StatusChange): readonly JsonObject[] => [
  { op: 'test', path: '/metadata/uid', value: uid },
  ...(resourceVersion === undefined
    ? []
    : [{ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }]),
  { op: 'add', path: '/status', value: status },
];

/** Throws `RangeError` for a grace of 0, which would drop a pod's object while its containers run. */
function deleteOptions({ uid, resourceVersion, gracePeriodSeconds }: Deletion): JsonObject {
  if (gracePeriodSeconds === 0) throw new RangeError('a grace period of 0 seconds hides containers that still run');
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Background',
    preconditions: resourceVersion === undefined ? { uid } : { uid, resourceVersion },
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
}

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function* unreachableIfBroken(call: HttpCall, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ApiUnreachable(`${what(call)}: the connection broke: ${why}`, { cause });
  }
}
