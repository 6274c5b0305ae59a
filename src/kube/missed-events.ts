import { compareResourceVersions } from './resource-version.ts';

/**
 * Counts what a watch has failed to tell. A list beside the watch shows changes that the watch has yet to tell; when it has
 * come past the list's version, those that it did not tell were missed.
 */
export class MissedEvents {
  #count = 0;
  #expected = new Set<string>();
  #upTo: string | undefined;

  get count(): number {
    return this.#count;
  }

  /** A list of this version has shown changes of these objects. What earlier lists have shown stays expected. */
  expect(uids: readonly string[], upTo: string): void {
    this.#expected = this.#expected.union(new Set(uids));
    if (this.#upTo === undefined || compareResourceVersions(upTo, this.#upTo) > 0) this.#upTo = upTo;
  }

  /** The watch begins anew after a gap that it cannot tell of: nothing is expected of it. */
  restart(): void {
    this.#expected.clear();
    this.#upTo = undefined;
  }

  /** The watch has come to `version`, with an event of this object or with none. Returns how many were missed by then. */
  told(uid: string | undefined, version: string): number {
    if (this.#upTo === undefined) return 0;
    const position = compareResourceVersions(version, this.#upTo);
    if (uid !== undefined && position <= 0) this.#expected.delete(uid);
    if (position < 0) return 0;
    const missed = this.#expected.size;
    this.#count += missed;
    this.restart();
    return missed;
  }
}
