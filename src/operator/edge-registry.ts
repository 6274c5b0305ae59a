import type { Instant } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { compareResourceVersions } from '../kube/resource-version.ts';
import { keyOf, lifeOf, readRecord, type EdgeRecord } from './edge-record.ts';

/** An edge that may still have requests in flight. */
export interface KnownEdge {
  readonly record: EdgeRecord;
  /** Its report is gone, which proves nothing: what it said last still counts until it is known to be dead. */
  readonly hasLeft: boolean;
  /** It could have been heard, and was not, since its last word: nobody is known to wait there any more. What it has in use still counts. */
  readonly isUnheard: boolean;
}

/** What became of an edge between two looks. */
export interface EdgeChange {
  readonly before: KnownEdge | undefined;
  readonly after: KnownEdge | undefined;
}

/**
 * Every edge that was ever heard of and is not proven dead, by the key of its report. Only two things take one out: a report
 * of a later life under the same key, and `bury`.
 */
export class EdgeRegistry {
  readonly #edges = new Map<string, KnownEdge>();
  /** `undefined`: something has changed since it was made. */
  #all: readonly KnownEdge[] | undefined;
  /** Lives that are over, while their report is still there. */
  readonly #buried = new Set<string>();

  /** The very same value as long as nothing has changed, so that what is made of it need not be made anew. */
  get all(): readonly KnownEdge[] {
    this.#all ??= [...this.#edges.values()];
    return this.#all;
  }

  find(key: string): KnownEdge | undefined {
    return this.#edges.get(key);
  }

  /** Takes in all reports that exist. Returns what has changed. */
  look(objects: readonly KubeObject[], now: Instant): readonly EdgeChange[] {
    const newest = newestByKey(objects);
    const left = this.all.filter(({ record, hasLeft }) => !hasLeft && !newest.has(record.key));
    const changes = [...newest.values()].flatMap((object) => this.#take(object, now));
    this.#forgetBuried(newest);
    return [...changes, ...left.map((edge) => this.#leave(edge))];
  }

  /** This life of the edge is proven to be over. */
  bury(dead: EdgeRecord): EdgeChange | undefined {
    const known = this.#edges.get(dead.key);
    if (known?.record.bootId !== dead.bootId) return undefined;
    this.#edges.delete(dead.key);
    this.#all = undefined;
    this.#buried.add(lifeOf(dead));
    return { before: known, after: undefined };
  }

  /** No more news of this edge came in all the time in which it should have. */
  unhear(record: EdgeRecord): EdgeChange | undefined {
    const before = this.#edges.get(record.key);
    if (before?.record !== record || before.isUnheard) return undefined;
    const after = { ...before, isUnheard: true };
    this.#put(after);
    return { before, after };
  }

  #take(object: KubeObject, now: Instant): EdgeChange[] {
    const before = this.#edges.get(keyOf(object));
    if (before !== undefined && !isNewer(object, before.record)) return [];
    const record = readRecord(object, before?.record, now);
    if (this.#buried.has(lifeOf(record))) return [];
    // What others write to its report is no word of it.
    const isUnheard = before?.isUnheard === true && record.heardAt === before.record.heardAt;
    const after = { record, hasLeft: false, isUnheard };
    this.#put(after);
    return [{ before, after }];
  }

  #leave(before: KnownEdge): EdgeChange {
    const after = { ...before, hasLeft: true };
    this.#put(after);
    return { before, after };
  }

  #put(edge: KnownEdge): void {
    this.#edges.set(edge.record.key, edge);
    this.#all = undefined;
  }

  #forgetBuried(reports: ReadonlyMap<string, KubeObject>): void {
    for (const life of this.#buried) {
      const [key = ''] = life.split(' ');
      if (!reports.has(key)) this.#buried.delete(life);
    }
  }
}

const isNewer = ({ metadata }: KubeObject, { resourceVersion }: EdgeRecord): boolean =>
  compareResourceVersions(metadata.resourceVersion, resourceVersion) > 0;

/** Of two reports with one name, one is deleted already. */
function newestByKey(objects: readonly KubeObject[]): Map<string, KubeObject> {
  const sorted = objects.toSorted((a, b) =>
    compareResourceVersions(a.metadata.resourceVersion, b.metadata.resourceVersion),
  );
  return new Map(sorted.map((object) => [keyOf(object), object]));
}
