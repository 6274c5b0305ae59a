import { toJsonMap } from '../api/cluster/json-value.ts';
import { isConflict, isNotFound, isTemporary, type KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/kube-object.ts';
import type { WriteLanes } from '../kube/write-lanes.ts';

/** A status that an object is to have. */
export interface StatusWish {
  readonly resource: Resource;
  readonly ref: ObjectRef;
  readonly uid: string;
  /** All of it. */
  readonly status: object;
}

export interface StatusWriterParts {
  readonly api: Pick<KubeApi, 'replaceStatus'>;
  readonly lanes: WriteLanes;
  /** The `resourceVersion` of the newest that is known of an object, by its uid; `undefined`: it is gone. */
  readonly versionOf: (resource: Resource, uid: string) => string | undefined;
  /** Takes in the answer to a write, so that what is read next is not older than what was written. */
  readonly onWritten: (resource: Resource, object: KubeObject) => void;
  /** Nothing is left to be written to an object: what was wished is written, or dropped. */
  readonly onSettled: () => void;
}

/**
 * Writes statuses, one PATCH for one change. Of several that come while one is on its way only the last is written; one that
 * the API server refuses is dropped, and written again on the next change. A write that was given up may be carried out much later,
 * by an API server that hung: so each names the state that it follows on. Where others have changed the object meanwhile (409), they
 * may go on doing so without a pause, and the next one is written whatever they do.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #wishes = new Map<string, StatusWish>();

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** Only records the wish; the write follows. */
  write(wish: StatusWish): void {
    const key = `status/${wish.uid}`;
    const isPending = this.isPending(wish.uid);
    this.#wishes.set(wish.uid, wish);
    if (isPending) this.#parts.lanes.wake(key);
    else void this.#parts.lanes.run(key, async () => this.#carryOut(wish.uid));
  }

  /** Whether something is still to be written to the object of this uid. Then what it says is not what it will say. */
  isPending(uid: string): boolean {
    return this.#wishes.has(uid);
  }

  async #carryOut(uid: string): Promise<'done' | 'more' | 'conflict'> {
    const wish = this.#wishes.get(uid);
    if (wish === undefined) return 'done';
    try {
      const written = await this.#write(wish);
      if (written !== undefined) this.#parts.onWritten(wish.resource, written);
    } catch (error) {
      if (isConflict(error)) return 'conflict';
      if (!isTemporary(error)) this.#settle(uid);
      throw error;
    }
    if (this.#wishes.get(uid) !== wish) return 'more';
    this.#settle(uid);
    return 'done';
  }

  #settle(uid: string): void {
    this.#wishes.delete(uid);
    this.#parts.onSettled();
  }

  /** `undefined`: the object is gone, and there is nothing to tell of it. */
  async #write(wish: StatusWish): Promise<KubeObject | undefined> {
    const version = this.#parts.versionOf(wish.resource, wish.uid);
    if (version === undefined) return undefined;
    try {
      return await this.#replace(wish, version);
    } catch (error) {
      if (!isConflict(error)) throw error;
      return this.#replace(wish, undefined);
    }
  }

  async #replace(
    { resource, ref, uid, status }: StatusWish,
    resourceVersion: string | undefined,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#parts.api.replaceStatus(resource, ref, { uid, resourceVersion, status: toJsonMap(status) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }
}
