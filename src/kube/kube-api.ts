import type { JsonObject } from '../domain/json.ts';
import type { KubeObject, ObjectRef, Resource } from './kube-object.ts';

/** Which objects of a kind: of one namespace or of all, with these labels and fields or with any. */
export interface Scope {
  readonly namespace?: string;
  /** As the API takes it: `a=b,c=d`. So with the fields, of which each kind has a few that can be asked for. */
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  /** From which a watch goes on. */
  readonly resourceVersion: string;
}

/** An object that is to be created: `metadata.uid` is the server's to give. */
export type NewObject = JsonObject & {
  readonly metadata: JsonObject & { readonly name: string };
};

/** A change to one object and no other: without its uid, a patch of an absent object could create one. */
export interface Patch {
  readonly uid: string;
  /** Refused with 409 if the object has changed since; `undefined`: whatever its state. */
  readonly resourceVersion: string | undefined;
  /** A JSON merge patch (RFC 7386). Its own `metadata.uid` and `metadata.resourceVersion` are filled in from above. */
  readonly body: JsonObject;
}

/** What the status of one object and no other is to be. */
export interface StatusChange {
  readonly uid: string;
  /** As for a `Patch`. */
  readonly resourceVersion: string | undefined;
  /** All of it: what it does not name is gone. */
  readonly status: JsonObject;
}

export interface Deletion {
  readonly uid: string;
  readonly resourceVersion: string | undefined;
  /** `undefined`: what the object itself says. Never 0: that drops a pod before its containers have ended. */
  readonly gracePeriodSeconds: number | undefined;
}

/**
 * The calls to an API server that Corral makes. All reads are quorum reads (no resourceVersion). Each call is bounded in
 * time, and throws `ApiError` for an answer that is no success, `ApiUnreachable` where there was none (then a write may
 * or may not have happened). Objects are checked to have metadata, and nothing else.
 */
export interface KubeApi {
  /** `undefined`: there is none (404). */
  get(resource: Resource, ref: ObjectRef): Promise<KubeObject | undefined>;
  /** All pages of it. The signal ends it early. */
  list(resource: Resource, scope: Scope, signal?: AbortSignal): Promise<ObjectList>;
  /**
   * POST. An object of that name exists: `ApiError` 409 AlreadyExists. Fields are validated strictly. `dryRun`: everything
   * but storing it, and the answer's `resourceVersion` is empty.
   */
  create(resource: Resource, object: NewObject, options?: { readonly dryRun?: boolean }): Promise<KubeObject>;
  /** PUT. The object's `metadata.resourceVersion` must be the server's: 409 Conflict otherwise. */
  replace(resource: Resource, object: KubeObject): Promise<KubeObject>;
  /**
   * PATCH of the object. It is gone: `ApiError` 404. It has changed since the given `resourceVersion`: 409 Conflict. Another one
   * has its name and no `resourceVersion` was given: 422 Invalid.
   */
  patch(resource: Resource, ref: ObjectRef, patch: Patch): Promise<KubeObject>;
  /** PATCH of the subresource `status`. The same errors, and 422 Invalid wherever another object has the name. */
  replaceStatus(resource: Resource, ref: ObjectRef, change: StatusChange): Promise<KubeObject>;
  /**
   * DELETE with preconditions. An object that is gone already (404) is no error. It has changed, or another one has its
   * name: `ApiError` 409 Conflict.
   */
  delete(resource: Resource, ref: ObjectRef, deletion: Deletion): Promise<void>;
  /** A watch from `resourceVersion` on; see Reflector, its only user. Ends when the server ends it; throws as above. */
  watch(resource: Resource, scope: Scope, resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
}

export type WatchEvent =
  | { readonly kind: 'changed'; readonly object: KubeObject }
  | { readonly kind: 'deleted'; readonly object: KubeObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

/** The server has answered, and not with success. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** Kubernetes' word for it, such as `AlreadyExists`, `Conflict`, `Expired`, `Forbidden`, `Invalid`. */
  readonly reason: string;
  /** When the server wants to be asked again, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(answer: { status: number; reason: string; message: string; retryAfter?: number | undefined }) {
    super(answer.message);
    this.name = 'ApiError';
    this.status = answer.status;
    this.reason = answer.reason;
    this.retryAfter = answer.retryAfter;
  }
}

/**
 * No usable answer came: nothing listens, the connection broke, the time ran out, or what came was cut off or nothing that
 * Kubernetes says. A write may have happened.
 */
export class ApiUnreachable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiUnreachable';
  }
}

/** A write that was not sent, since at that moment nothing may be written: certainly nothing has happened. */
export class NotSent extends ApiUnreachable {
  constructor(reason: string) {
    super(`not sent: ${reason}`);
    this.name = 'NotSent';
  }
}

/** Whether the same call may well succeed later: nobody answered, too many calls, or the server's own trouble. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof ApiUnreachable || (error instanceof ApiError && (error.status === 429 || error.status >= 500));

/**
 * Whether there is no object of this name. A kind that is not installed is a 404 as well, but without a `Status`: that says nothing about
 * the object.
 */
export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404 && error.reason === 'NotFound';

/** Whether the object is not as it was named: it has changed since (HTTP 409). */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** Whether the object is not as it was named: it has changed since, is gone, or exists where none was known. The next try needs another look. */
export const hasChanged = (error: unknown): boolean =>
  isConflict(error) || (error instanceof ApiError && error.status === 404);

/** Whether the server no longer has the history that was asked for (HTTP 410): only a new list helps. */
export const isExpired = (error: unknown): boolean => error instanceof ApiError && error.status === 410;
