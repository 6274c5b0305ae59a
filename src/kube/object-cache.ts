import { isDeepStrictEqual } from 'node:util';
import { minutes, since, type Instant } from '../domain/units.ts';
import type { ObjectList } from './kube-api.ts';
import type { KubeObject } from './kube-object.ts';
import { compareResourceVersions } from './resource-version.ts';

/** How long a deletion is remembered: longer than any answer that could bring the object back is on its way. */
const REMEMBER_DELETION = minutes(10);

interface Deletion {
  /** Up to which no state of the object is taken any more; `undefined`: none at all. */
  readonly version: string | undefined;
  readonly at: Instant;
}

/**
 * The newest known state of some objects, by uid. States come from lists, from a watch and from the answers of own writes,
 * in any order: an older one never replaces a newer one, and what is deleted does not come back. As long as an object's spec
 * says the same it is the very same value, so that what was made of it need not be made anew for each change of a status.
 */
export class ObjectCache {
  readonly #objects = new Map<string, KubeObject>();
  /** The oldest first. */
  readonly #deletions = new Map<string, Deletion>();

  objects(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  find(uid: string): KubeObject | undefined {
    return this.#objects.get(uid);
  }

  /** Takes in a state, unless a newer one is known. Returns whether that changed anything. */
  put(object: KubeObject): boolean {
    const { uid, resourceVersion } = object.metadata;
    const known = this.#objects.get(uid);
    if (known !== undefined && compareResourceVersions(resourceVersion, known.metadata.resourceVersion) <= 0)
      return false;
    if (this.#isDeleted(uid, resourceVersion)) return false;
    this.#objects.set(uid, withKnownSpec(object, known));
    return true;
  }

  /**
   * Takes in a deletion at `version`, or with `undefined` one that is certain whatever comes. (A watch with a label
   * selector reports a deletion too when the labels change, and that object may come back with a later version.)
   */
  remove(uid: string, version: string | undefined, now: Instant): boolean {
    const known = this.#objects.get(uid);
    if (known !== undefined && isNewer(known, version)) return false;
    this.#forgetDeletions(now);
    this.#deletions.delete(uid);
    this.#deletions.set(uid, { version, at: now });
    return this.#objects.delete(uid);
  }

  /** Takes in a whole list: what it lacks is gone, unless it was created after the list. Returns the uids that changed. */
  takeList({ items, resourceVersion }: ObjectList, now: Instant): readonly string[] {
    this.#forgetDeletions(now);
    const listed = new Set(items.map(({ metadata }) => metadata.uid));
    const missing = [...this.#objects.keys()].filter((uid) => !listed.has(uid));
    const removed = missing.filter((uid) => this.remove(uid, resourceVersion, now));
    const changed = items.filter((item) => this.put(item)).map(({ metadata }) => metadata.uid);
    return [...removed, ...changed];
  }

  #isDeleted(uid: string, version: string): boolean {
    const deletion = this.#deletions.get(uid);
    if (deletion === undefined) return false;
    return deletion.version === undefined || compareResourceVersions(version, deletion.version) <= 0;
  }

  /** With each deletion as well: a watch may go on for weeks without a list. */
  #forgetDeletions(now: Instant): void {
    for (const [uid, { at }] of this.#deletions) {
      if (since(at, now) <= REMEMBER_DELETION) return;
      this.#deletions.delete(uid);
    }
  }
}

function withKnownSpec(object: KubeObject, known: KubeObject | undefined): KubeObject {
  const spec = known?.['spec'];
  return spec !== undefined && isDeepStrictEqual(spec, object['spec']) ? { ...object, spec } : object;
}

const isNewer = ({ metadata }: KubeObject, version: string | undefined): boolean =>
  version !== undefined && compareResourceVersions(metadata.resourceVersion, version) > 0;
