import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, ApiObject, Snapshot } from '../support/api-client.ts';
import { RefusedCall } from '../support/api-client.ts';
import { isTrue } from '../support/field-at.ts';

/** One state of an object as the API server has told it; `gone`: its last one. */
export interface Told {
  readonly object: ApiObject;
  readonly version: number;
  readonly gone: boolean;
}

export interface FollowedKind {
  readonly api: ApiClient;
  readonly collection: string;
  /** The CustomResourceDefinition without which there is no such collection; `undefined`: there always is. */
  readonly definition: string | undefined;
  readonly onTold: (told: Told) => void;
  /** Something may have been missed. */
  readonly onGap: (why: string) => void;
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
/** Between two attempts while the API server is away. */
const AGAIN_MS = 100;

/** Follows all objects of one kind, from before the kind exists until it is told to end, through outages of the API server. */
export class KindFollower {
  readonly #kind: FollowedKind;
  readonly #ending = new AbortController();
  readonly #there = new Map<string, ApiObject>();
  #version: string | undefined;
  /** The API server has been away since something was heard of it. A new one does not know what was before it. */
  #wasAway = false;
  #running: Promise<void> | undefined;

  constructor(kind: FollowedKind) {
    this.#kind = kind;
  }

  /** Resolves when what there is has been told, or when there is no such kind yet. */
  async start(): Promise<void> {
    await this.#list().catch((error: unknown) => {
      if (!isAbsence(error)) throw error;
    });
    this.#running = this.#follow();
  }

  /** Whether all that is there now was told. */
  async isCaughtUp(): Promise<boolean> {
    const { items } = await this.#snapshot().catch(nothingIfAbsent);
    const isKnown = ({ metadata }: ApiObject): boolean =>
      versionOf(this.#there.get(metadata.uid)) >= Number(metadata.resourceVersion);
    return items.every(isKnown) && items.length === this.#there.size;
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#watch(signal).catch((error: unknown) => {
        if (isAway(error)) this.#wasAway = true;
        if (!signal.aborted && !isOutage(error)) this.#loseTrack(error);
      });
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** From where the last watch has ended. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { api, collection, definition } = this.#kind;
    if (this.#version === undefined) {
      if (definition !== undefined) await untilDefined(api, definition, signal);
      await this.#list();
    }
    const version = String(this.#version);
    for await (const { kind, object } of api.watch(collection, { selector: '', version }, signal)) {
      this.#version = object.metadata.resourceVersion;
      this.#wasAway = false;
      this.#tell(object, kind === 'deleted');
    }
  }

  /** What was between is not known any more: it is read anew what there is. That may have been missed, unless nobody could write. */
  #loseTrack(error: unknown): void {
    this.#version = undefined;
    const isExpected = isAbsence(error) ? this.#there.size === 0 : isTooOld(error) && this.#wasAway;
    if (!isExpected) this.#kind.onGap(`${this.#kind.collection}: ${String(error)}`);
  }

  async #list(): Promise<void> {
    const { items, version } = await this.#snapshot();
    for (const object of items) this.#tell(object, false);
    const left = new Set(items.map(({ metadata }) => metadata.uid));
    for (const object of this.#there.values())
      if (!left.has(object.metadata.uid)) this.#tell(withVersion(object, version), true);
    this.#version = version;
    this.#wasAway = false;
  }

  async #snapshot(): Promise<Snapshot> {
    return this.#kind.api.snapshot(this.#kind.collection, '');
  }

  #tell(object: ApiObject, gone: boolean): void {
    const { uid } = object.metadata;
    if (!gone && versionOf(this.#there.get(uid)) === versionOf(object)) return;
    if (gone) this.#there.delete(uid);
    else this.#there.set(uid, object);
    try {
      this.#kind.onTold({ object, version: versionOf(object), gone });
    } catch (error) {
      this.#kind.onGap(String(error));
    }
  }
}

/** 0: there is none. */
const versionOf = (object: ApiObject | undefined): number =>
  object === undefined ? 0 : Number(object.metadata.resourceVersion);

const withVersion = (object: ApiObject, resourceVersion: string): ApiObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

/** Nobody answers, or the one who does is starting or ending: what there is can be asked for later. */
const isOutage = (error: unknown): boolean =>
  !(error instanceof RefusedCall) || error.status >= 500 || error.status === 429;

/** Nobody is there who could take a write. */
const isAway = (error: unknown): boolean =>
  error instanceof RefusedCall ? error.status >= 500 : error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'; // prettier-ignore

const isTooOld = (error: unknown): boolean => error instanceof RefusedCall && error.status === 410;

/** There is no such kind. */
const isAbsence = (error: unknown): boolean => error instanceof RefusedCall && error.status === 404;

function nothingIfAbsent(error: unknown): Pick<Snapshot, 'items'> {
  if (isAbsence(error)) return { items: [] };
  throw error;
}

async function untilDefined(api: ApiClient, name: string, signal: AbortSignal): Promise<void> {
  const selector = `fieldSelector=metadata.name%3D${name}`;
  for await (const change of api.changes(DEFINITIONS, selector, signal)) {
    const objects = change.kind === 'listed' ? change.items : [change.object];
    if (change.kind !== 'deleted' && objects.some(isEstablished)) return;
  }
}

const isEstablished = (definition: ApiObject): boolean => isTrue(definition, 'Established');
