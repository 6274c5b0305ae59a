import type { JsonObject } from '../domain/json.ts';
import { isDeepStrictEqual } from 'node:util';
import { notFound } from './fake-api-reads.ts';
import { FakeRefusal } from './fake-api-refusal.ts';
import { JSON_PATCH, type FakeRequest } from './fake-api-request.ts';
import { apiVersionOf, type FakeResource } from './fake-api-resources.ts';
import { childOf, keyOf, metaOf, withMeta, type FakeApiStore, type FakeKey } from './fake-api-store.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';

export interface FakeWriteParts {
  readonly store: FakeApiStore;
  /** The server's time, in milliseconds since 1970. */
  readonly now: () => number;
}

/** Kubernetes' default for pods, in seconds. */
const DEFAULT_GRACE = 30;

/** POST, PUT, PATCH and DELETE, with what the API server itself checks and sets; what a controller does is not here. */
export class FakeApiWrites {
  readonly #store: FakeApiStore;
  readonly #now: () => number;

  constructor({ store, now }: FakeWriteParts) {
    this.#store = store;
    this.#now = now;
  }

  create({ resource, namespace, body, query }: FakeRequest): JsonObject {
    const meta = metaOf(body);
    if (meta['resourceVersion'] !== undefined)
      throw invalid('resourceVersion should not be set on objects to be created');
    if (resource.namespaced && meta['namespace'] !== namespace) throw badRequest('the namespaces differ');
    const key = keyOf(resource, body);
    if (this.#store.find(key) !== undefined) {
      throw new FakeRefusal(409, 'AlreadyExists', `${resource.plural} "${key.name}" already exists`);
    }
    const object = this.#newObject(resource, body);
    return query.get('dryRun') === 'All' ? object : this.#store.write(resource, object);
  }

  /** PUT. */
  update(request: FakeRequest): JsonObject {
    const before = this.#existing(request);
    if (metaOf(request.body)['resourceVersion'] === undefined) {
      throw invalid('metadata.resourceVersion: must be specified for an update');
    }
    return this.#replace(request, before, request.body);
  }

  /** PATCH: of an object as a JSON merge patch, of its status as a JSON patch that tests the uid. */
  patch(request: FakeRequest): JsonObject {
    const isStatus = request.subresource === 'status';
    if (request.contentType !== (isStatus ? JSON_PATCH : 'application/merge-patch+json')) {
      throw new FakeRefusal(415, 'UnsupportedMediaType', 'the fake takes merge patches, and JSON patches of statuses');
    }
    if (isStatus) return this.#patchStatus(request);
    const before = this.#existing(request);
    const merged = mergePatch(before, request.body);
    if (!isJsonObject(merged)) throw badRequest('the patch is no object');
    return this.#replace(request, before, merged);
  }

  #patchStatus(request: FakeRequest): JsonObject {
    const before = this.#existing(request);
    const { body } = request;
    if (metaOf(body)['uid'] !== metaOf(before)['uid']) throw invalid('testing value /metadata/uid failed: test failed');
    return this.#replace(request, before, withMeta({ ...before, status: childOf(body, 'status') }, metaOf(body)));
  }

  delete(request: FakeRequest): JsonObject {
    checkPreconditions(this.#existing(request), childOf(request.body, 'preconditions'));
    return this.remove(request, request.body['gracePeriodSeconds']);
  }

  /** Deletes with the given grace in seconds, or with the object's own. */
  remove(key: FakeKey, asked?: unknown): JsonObject {
    const before = this.#existing(key);
    const grace = graceOf(key.resource, before, asked);
    const finalizers = metaOf(before)['finalizers'];
    const isHeld = Array.isArray(finalizers) && finalizers.length > 0;
    if (grace > 0 || isHeld) return this.#mark(key.resource, before, grace);
    // As the real one does: a pod is marked first also when it goes at once.
    if (key.resource.kind === 'Pod') this.#mark(key.resource, before, grace);
    this.#store.remove(key);
    return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
  }

  /** Stores whatever a test gives: a new object, or the new state of the one that has its name. */
  put(resource: FakeResource, object: JsonObject): JsonObject {
    const before = this.#store.find(keyOf(resource, object));
    if (before === undefined) return this.#store.write(resource, this.#newObject(resource, object));
    return this.#store.write(resource, withServerFields(before, { ...kindOf(resource), ...object }));
  }

  #existing({ resource, namespace, name }: FakeKey): JsonObject {
    const object = this.#store.find({ resource, namespace, name });
    if (object === undefined) throw notFound(resource.plural, name);
    return object;
  }

  #newObject(resource: FakeResource, object: JsonObject): JsonObject {
    const given = metaOf(object);
    const { uid = this.#store.newUid(), creationTimestamp = timestamp(this.#now()) } = given;
    return withMeta({ ...kindOf(resource), ...object }, { uid, creationTimestamp, generation: 1 });
  }

  #replace(request: FakeRequest, before: JsonObject, wanted: JsonObject): JsonObject {
    const { resource, subresource } = request;
    checkVersion(resource, before, wanted);
    if (subresource !== '' && !(subresource === 'status' && resource.hasStatus))
      throw notFound(resource.plural, subresource);
    const after = withServerFields(before, withStatusRule(request, before, wanted));
    if (isDeepStrictEqual(after, before)) return before;
    const finalizers = metaOf(after)['finalizers'];
    const isFinished = isMarked(after) && Array.isArray(finalizers) && finalizers.length === 0;
    if (!isFinished) return this.#store.write(resource, after);
    this.#store.remove(keyOf(resource, before));
    return after;
  }

  /** Marks an object for deletion; a later deletion may only shorten the grace. The mark is the time when the grace ends. */
  #mark(resource: FakeResource, before: JsonObject, grace: number): JsonObject {
    const { deletionGracePeriodSeconds: known, generation } = metaOf(before);
    if (typeof known === 'number' && known <= grace) return before;
    const marked = { deletionTimestamp: timestamp(this.#now() + grace * 1000), deletionGracePeriodSeconds: grace };
    const isFirst = known === undefined;
    return this.#store.write(
      resource,
      withMeta(before, isFirst ? { ...marked, generation: Number(generation) + 1 } : marked),
    );
  }
}

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const badRequest = (message: string): FakeRefusal => new FakeRefusal(400, 'BadRequest', message);
const invalid = (message: string): FakeRefusal => new FakeRefusal(422, 'Invalid', message);
const conflict = (message: string): FakeRefusal => new FakeRefusal(409, 'Conflict', message);

const kindOf = (resource: FakeResource): JsonObject => ({ apiVersion: apiVersionOf(resource), kind: resource.kind });

const isMarked = (object: JsonObject): boolean => metaOf(object)['deletionTimestamp'] !== undefined;

/** Everything but metadata and status counts: not every kind calls it `spec`. */
function changesSpec(before: JsonObject, after: JsonObject): boolean {
  const rest = ({ ...fields }: JsonObject): Map<string, unknown> =>
    new Map(Object.entries(fields).filter(([field]) => !['metadata', 'status', 'kind', 'apiVersion'].includes(field)));
  return !isDeepStrictEqual(rest(before), rest(after));
}

/** The version is compared before the uid is, as the API server does: an older version is 409, another uid alone 422. */
function checkVersion(resource: FakeResource, before: JsonObject, wanted: JsonObject): void {
  const { uid, resourceVersion } = metaOf(before);
  const { uid: wantedUid, resourceVersion: wantedVersion } = metaOf(wanted);
  if (wantedVersion !== undefined && wantedVersion !== resourceVersion) {
    throw conflict(`Operation cannot be fulfilled on ${resource.plural}: the object has been modified`);
  }
  if (wantedUid !== undefined && wantedUid !== uid) throw invalid('metadata.uid: field is immutable');
}

function checkPreconditions(before: JsonObject, preconditions: JsonObject): void {
  const meta = metaOf(before);
  for (const [field, value] of Object.entries(preconditions)) {
    if (meta[field] !== value) throw conflict(`Precondition failed: the ${field} is another one`);
  }
}

/** A write of the object leaves its status alone, one of its status all else, for kinds that keep them apart. */
function withStatusRule({ resource, subresource }: FakeRequest, before: JsonObject, wanted: JsonObject): JsonObject {
  if (!resource.hasStatus) return wanted;
  const [base, status] = subresource === 'status' ? [before, wanted['status']] : [wanted, before['status']];
  const rest = Object.fromEntries(Object.entries(base).filter(([field]) => field !== 'status'));
  return status === undefined ? rest : { ...rest, status };
}

const SERVER_FIELDS = [
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** `after` with what no client can change. */
function withServerFields(before: JsonObject, after: JsonObject): JsonObject {
  const meta = metaOf(before);
  const kept = Object.fromEntries(Object.entries(meta).filter(([field]) => SERVER_FIELDS.includes(field)));
  return withMeta(after, changesSpec(before, after) ? { ...kept, generation: Number(meta['generation']) + 1 } : kept);
}

/** Only pods have one, and it is 0 for a pod that no kubelet has seen or whose containers have ended. */
function graceOf(resource: FakeResource, pod: JsonObject, asked: unknown): number {
  if (resource.kind !== 'Pod') return 0;
  const { nodeName, terminationGracePeriodSeconds } = childOf(pod, 'spec');
  const { phase } = childOf(pod, 'status');
  if (typeof nodeName !== 'string' || phase === 'Failed' || phase === 'Succeeded') return 0;
  if (typeof asked === 'number') return asked;
  return typeof terminationGracePeriodSeconds === 'number' ? terminationGracePeriodSeconds : DEFAULT_GRACE;
}
