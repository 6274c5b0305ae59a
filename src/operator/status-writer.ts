import { isDeepStrictEqual } from 'node:util';
import { toJsonMap } from '../api/cluster/json-value.ts';
import { isTemporary, type KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/kube-object.ts';
import type { WriteLanes } from '../kube/write-lanes.ts';

/** A status that an object is to have. */
export interface StatusWish {
  readonly resource: Resource;
  readonly ref: ObjectRef;
  readonly uid: string;
  /** What it has, as far as is known. */
  readonly previous: object | undefined;
  /** `previous` itself: nothing is to be changed. Names every field that a status has had, since those left out stay. */
  readonly status: object;
}

export interface StatusWriterParts {
  readonly api: Pick<KubeApi, 'patch'>;
  readonly lanes: WriteLanes;
  /** Takes in the answer to a write, so that what is read next is not older than what was written. */
  readonly onWritten: (resource: Resource, object: KubeObject) => void;
}

/**
 * Writes statuses, one PATCH for one change. Of several that come while one is on its way only the last is written; one that
 * the API server refuses (its object is gone, or is another one of its name) is dropped, and written again on the next change.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #wishes = new Map<string, StatusWish>();

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** Only records the wish; the write follows. */
  write(wish: StatusWish): void {
    const pending = this.#wishes.get(wish.uid);
    const key = `status/${wish.uid}`;
    if (pending === undefined) {
      if (wish.status === wish.previous) return;
      this.#wishes.set(wish.uid, wish);
      void this.#parts.lanes.run(key, async () => this.#carryOut(wish.uid));
    } else if (!isDeepStrictEqual(pending.status, wish.status)) {
      // Also where it is the status that the object has: after what is on its way it has another.
      this.#wishes.set(wish.uid, wish);
      this.#parts.lanes.wake(key);
    }
  }

  async #carryOut(uid: string): Promise<'done' | 'again'> {
    const wish = this.#wishes.get(uid);
    if (wish === undefined) return 'done';
    try {
      this.#parts.onWritten(wish.resource, await this.#patch(wish));
    } catch (error) {
      if (!isTemporary(error)) this.#wishes.delete(uid);
      throw error;
    }
    if (this.#wishes.get(uid) !== wish) return 'again';
    this.#wishes.delete(uid);
    return 'done';
  }

  async #patch({ resource, ref, uid, status }: StatusWish): Promise<KubeObject> {
    const body = { status: toJsonMap(status) };
    return this.#parts.api.patch(resource, ref, { uid, resourceVersion: undefined, body }, 'status');
  }
}
