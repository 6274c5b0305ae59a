import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import type { Instant } from '../../domain/units.ts';
import type { KubeObject, ObjectRef } from '../../kube/kube-object.ts';
import { findRepair, originOf, withRepair, type PodOrigin, type PodRepair } from './pod-origin.ts';
import { noteLook, type PodHistory } from './pod-history.ts';

/** A pod and what was seen of it. */
export interface KnownPod {
  readonly pod: PodView;
  readonly history: PodHistory;
  /**
   * Since when it is not seen any more. Then it may be gone, or somebody has taken away the labels by which it is followed: it
   * holds what it holds until somebody has looked. `undefined`: it is seen.
   */
  readonly lostSince: Instant | undefined;
  /** What somebody else has changed of it: it is seen here as if that were put back. `undefined`: nothing. */
  readonly repair: PodRepair | undefined;
}

interface Seen {
  readonly pod: PodView;
  readonly repair: PodRepair | undefined;
}

/** The pods that ModelDeployments control, as of the last look. */
export class PodBook {
  #pods: ReadonlyMap<string, KnownPod> = new Map();
  #named: ReadonlyMap<string, KnownPod> = new Map();
  /** An object is never changed, so that it is read once. */
  readonly #views = new WeakMap<KubeObject, Seen>();
  /** By uid, as each pod was when it was seen first. */
  readonly #origins = new Map<string, PodOrigin>();

  all(): readonly KnownPod[] {
    return [...this.#pods.values()];
  }

  find(uid: string): KnownPod | undefined {
    return this.#pods.get(uid);
  }

  /** By its name, which no two have at a time: of one that is seen and one that is not any more, the one that is seen. */
  findNamed(ref: ObjectRef): KnownPod | undefined {
    return this.#named.get(keyOf(ref));
  }

  originOf(uid: string): PodOrigin | undefined {
    return this.#origins.get(uid);
  }

  /** `isLetGo`: whether the pods of a ModelDeployment (by its uid) are none of Corral's any more, whatever they say. */
  look(objects: readonly KubeObject[], now: Instant, isLetGo: (ownerUid: string) => boolean): void {
    const seen = objects.flatMap((object) => this.#see(object) ?? []);
    const before = this.#pods;
    const pods = new Map(seen.map((one) => [one.pod.uid, knownAgain(before.get(one.pod.uid), one, now)]));
    for (const [uid, known] of before)
      if (!pods.has(uid)) pods.set(uid, { ...known, lostSince: known.lostSince ?? now });
    this.#know([...pods].filter(([, { pod }]) => !isLetGo(pod.ownerUid)));
  }

  /** It is gone, or none of Corral's any more. */
  letGo(uid: string): void {
    this.#know([...this.#pods].filter(([known]) => known !== uid));
  }

  /** It was ordered at `at`: from then on its provisioning counts. */
  noteOrdered(uid: string, at: Instant): void {
    const known = this.#pods.get(uid);
    if (known === undefined) return;
    const ordered = { ...known, history: { ...known.history, exists: at } };
    this.#know(new Map(this.#pods).set(uid, ordered));
  }

  #see(object: KubeObject): Seen | undefined {
    const known = this.#views.get(object);
    if (known !== undefined) return known;
    const repair = this.#repairOf(object);
    const pod = viewPod(withRepair(object, repair));
    if (pod === undefined) return undefined;
    const seen = { pod, repair };
    this.#views.set(object, seen);
    return seen;
  }

  #repairOf(object: KubeObject): PodRepair | undefined {
    const { uid } = object.metadata;
    const known = this.#origins.get(uid);
    if (known !== undefined) return findRepair(known, object.metadata);
    const origin = viewPod(object) === undefined ? undefined : originOf(object.metadata);
    if (origin !== undefined) this.#origins.set(uid, origin);
    return undefined;
  }

  /** By uid, those that are seen before those that are not. */
  #know(pods: Iterable<readonly [string, KnownPod]>): void {
    this.#pods = new Map(pods);
    this.#named = new Map(this.all().toReversed().map((known) => [keyOf(known.pod), known])); // prettier-ignore
    for (const uid of this.#origins.keys()) if (!this.#pods.has(uid)) this.#origins.delete(uid);
  }
}

/** One for each name. Neither part can hold a slash. */
export const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace ?? ''}/${name}`;

const knownAgain = (before: KnownPod | undefined, { pod, repair }: Seen, now: Instant): KnownPod => ({
  pod,
  repair,
  history: noteLook(before?.history, pod, now),
  lostSince: undefined,
});
