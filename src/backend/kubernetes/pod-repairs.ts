import type { PodOwner } from '../../api/cluster/pod-settings.ts';
import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import type { JsonObject } from '../../domain/json.ts';
import { after, minutes, type Instant } from '../../domain/units.ts';
import type { KubeObject, OwnerReference } from '../../kube/kube-object.ts';
import type { Log } from '../../platform/log.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import type { Step } from './pod-lanes.ts';
import { findRepair, ownerOf, withRepair, type PodOrigin } from './pod-origin.ts';
import { isOwn, type PodWrites, type WriteOutcome } from './pod-writes.ts';

/** Who changes a pod again and again is not fought with: so often is it put back, at most. */
const REPAIR_EVERY = minutes(1);

export interface PodRepairsParts {
  readonly writes: PodWrites;
  readonly book: PodBook;
  readonly isThere: (owner: PodOwner) => Promise<boolean>;
  /** Only whoever leads puts anything back; the others find out what is gone. */
  readonly isLeading: () => boolean;
  readonly now: () => Instant;
  readonly log: Log;
}

/**
 * Puts back what others have changed of pods, and finds out what has become of a pod that is not seen any more: it is gone, or it
 * is there without the labels by which it is followed, or without its owner.
 */
export class PodRepairs {
  readonly #parts: PodRepairsParts;
  /** By uid, when it was last put back. */
  readonly #repaired = new Map<string, Instant>();
  /** Uids of those that are not seen, and were looked for since. */
  readonly #sought = new Set<string>();
  /** Those of them that are known to be there and were not put back. */
  readonly #away = new Set<string>();

  constructor(parts: PodRepairsParts) {
    this.#parts = parts;
  }

  /** What others have changed is put back, and who is not seen is looked for by its name. `undefined`: nothing is to be done now. */
  stepFor({ pod, lostSince, repair }: KnownPod): Step | undefined {
    const mayWrite = this.#mayWrite(pod.uid);
    if (lostSince !== undefined) {
      return this.#sought.has(pod.uid) && !mayWrite ? undefined : async () => this.#seek(pod);
    }
    return repair !== undefined && !pod.deleting && mayWrite ? async () => this.#repair(pod) : undefined;
  }

  /** Whether a pod that is not seen any more will not be seen soon. Most are back, or known to be gone, in the next moment. */
  isAway(uid: string): boolean {
    return this.#away.has(uid);
  }

  /** When what was put back lately may be put back again. */
  times(): readonly Instant[] {
    const isOpen = ({ lostSince, repair }: KnownPod): boolean => lostSince !== undefined || repair !== undefined;
    return [...this.#repaired].flatMap(([uid, at]) => {
      const known = this.#parts.book.find(uid);
      return known !== undefined && isOpen(known) ? [after(at, REPAIR_EVERY)] : [];
    });
  }

  /** Forgets what is gone, and what is seen again. To be called after each look. */
  prune(): void {
    const { book } = this.#parts;
    for (const uid of this.#repaired.keys()) if (book.find(uid) === undefined) this.#repaired.delete(uid);
    for (const uid of this.#sought) if (book.find(uid)?.lostSince === undefined) this.#sought.delete(uid);
    for (const uid of this.#away) if (!this.#sought.has(uid)) this.#away.delete(uid);
  }

  /** Reads by quorum what there is under its name. What is gone is let go. */
  async #seek(pod: PodView): Promise<WriteOutcome> {
    const { writes, book } = this.#parts;
    const found = await writes.readBack(pod);
    const origin = book.originOf(pod.uid);
    if (found?.metadata.uid !== pod.uid || origin === undefined) return 'written';
    this.#sought.add(pod.uid);
    if (isOwn(found)) return 'changed';
    const repair = findRepair(origin, found.metadata);
    if (viewPod(withRepair(found, repair)) !== undefined) return this.#putBack(found, { ...repair });
    return this.#reclaim(found, origin);
  }

  async #repair(pod: PodView): Promise<WriteOutcome> {
    const found = await this.#parts.writes.readBack(pod);
    const origin = this.#parts.book.originOf(pod.uid);
    if (found?.metadata.uid !== pod.uid || origin === undefined) return 'changed';
    const repair = findRepair(origin, found.metadata);
    return repair === undefined ? 'changed' : this.#putBack(found, { ...repair });
  }

  /** It has lost its owner. That is put back, unless the owner goes without it, or it has another one. */
  async #reclaim(found: KubeObject, origin: PodOrigin): Promise<WriteOutcome> {
    const { metadata } = found;
    const { ownerReferences = [], namespace = '', name, uid } = metadata;
    const isTaken = ownerReferences.some(({ controller }) => controller === true);
    if (!isTaken && (await this.#parts.isThere(ownerOf(origin, namespace)))) {
      const owners = [...ownerReferences, origin.owner].map(toJson);
      return this.#putBack(found, { ownerReferences: owners, ...findRepair(origin, metadata) });
    }
    this.#parts.book.letGo(uid);
    this.#parts.log.warn('a pod is let go: its ModelDeployment does not control it any more', {
      pod: name,
      replica: uid,
    });
    return 'written';
  }

  async #putBack(found: KubeObject, changes: JsonObject): Promise<WriteOutcome> {
    const { uid, name } = found.metadata;
    if (!this.#mayWrite(uid)) this.#away.add(uid);
    if (!this.#parts.isLeading()) return 'written';
    if (!this.#isDue(uid)) {
      this.#parts.log.warn('a pod was changed by others again; it is put back in a minute', {
        replica: uid,
        pod: name,
      });
      return 'written';
    }
    this.#parts.log.warn('a pod was changed by others; it is put back', { replica: uid, pod: name });
    this.#repaired.set(uid, this.#parts.now());
    let outcome: WriteOutcome = 'changed';
    try {
      outcome = await this.#parts.writes.putBack(found, changes);
      return outcome;
    } finally {
      if (outcome === 'changed') this.#repaired.delete(uid);
    }
  }

  #mayWrite(uid: string): boolean {
    return this.#parts.isLeading() && this.#isDue(uid);
  }

  #isDue(uid: string): boolean {
    const last = this.#repaired.get(uid);
    return last === undefined || after(last, REPAIR_EVERY) <= this.#parts.now();
  }
}

const toJson = (owner: OwnerReference): JsonObject => ({ ...owner });
