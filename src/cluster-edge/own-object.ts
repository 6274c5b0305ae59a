import type { JsonObject } from '../domain/json.ts';
import { hasChanged, type KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import type { EdgeIdentity } from './edge-identity.ts';

/** Somebody else writes the object that is ours alone: a newer edge has our pod's name, and what we count counts no more. */
export class TakenOver extends Error {
  constructor(plural: string, name: string) {
    super(`${plural} ${name} is written by another process`);
    this.name = 'TakenOver';
  }
}

export interface OwnObjectParts {
  readonly api: KubeApi;
  readonly resource: Resource;
  readonly kind: string;
  readonly identity: EdgeIdentity;
  /** Whether this process has written what is there. */
  readonly isOurs: (object: KubeObject) => boolean;
}

/** How often one write is tried when what is there turns out to be something else. */
const MAX_TRIES = 4;

/** An object that has the name of this edge's pod, is owned by the pod, and is written by this process alone. */
export class OwnObject {
  readonly #parts: OwnObjectParts;
  /** As it was last read or written; `undefined`: there was none. */
  #known: KubeObject | undefined;
  #hasWritten = false;
  /** The next write replaces what another has written. */
  #takesBack = false;

  constructor(parts: OwnObjectParts) {
    this.#parts = parts;
  }

  /**
   * Writes `content` beside the metadata, whatever is there of an earlier edge. Throws `TakenOver` if a later one has
   * replaced what this one wrote, and what the API throws. Not to be called again before it has ended.
   */
  async write(content: JsonObject): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        this.#known = await this.#put(content);
        this.#hasWritten = true;
        this.#takesBack = false;
        return;
      } catch (error) {
        if (!hasChanged(error) || tries === MAX_TRIES) throw error;
        await this.#look();
      }
    }
  }

  /** It is proven that no later edge is there: whoever has written it last, the next write makes it ours again. */
  takeBack(): void {
    this.#takesBack = true;
  }

  /** Whether there is anything of it. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** Deletes it. What is not as this process has left it is another's by now, and stays: 409 Conflict is thrown. */
  async remove(): Promise<void> {
    if (this.#known === undefined) return;
    const { uid, resourceVersion } = this.#known.metadata;
    await this.#parts.api.delete(this.#parts.resource, this.#ref, {
      uid,
      resourceVersion,
      gracePeriodSeconds: undefined,
    });
    this.#known = undefined;
  }

  get #ref(): { readonly namespace: string; readonly name: string } {
    const { namespace, podName: name } = this.#parts.identity;
    return { namespace, name };
  }

  async #put(content: JsonObject): Promise<KubeObject> {
    const { api, resource } = this.#parts;
    const object = { ...content, ...this.#header() };
    if (this.#known === undefined) return api.create(resource, object);
    const { uid, resourceVersion, creationTimestamp } = this.#known.metadata;
    return api.replace(resource, {
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion, creationTimestamp },
    });
  }

  #header(): { apiVersion: string; kind: string; metadata: OwnMetadata } {
    const { resource, kind, identity } = this.#parts;
    const owner = { apiVersion: 'v1', kind: 'Pod', name: identity.podName, uid: identity.podUid };
    return {
      apiVersion: `${resource.group}/${resource.version}`,
      kind,
      metadata: { ...this.#ref, ownerReferences: [owner] },
    };
  }

  async #look(): Promise<void> {
    const found = await this.#parts.api.get(this.#parts.resource, this.#ref);
    const isExpected = found === undefined || !this.#hasWritten || this.#takesBack || this.#parts.isOurs(found);
    if (!isExpected) throw new TakenOver(this.#parts.resource.plural, this.#ref.name);
    this.#known = found;
  }
}

type OwnMetadata = JsonObject & {
  readonly name: string;
  readonly namespace: string;
  readonly ownerReferences: readonly (JsonObject & {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
  })[];
};
