import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import type { Instant } from '../../domain/units.ts';
import type { KubeObject, ObjectRef } from '../../kube/kube-object.ts';
import { noteLook, type PodHistory } from './pod-history.ts';

/** A pod and what was seen of it. */
export interface KnownPod {
  readonly pod: PodView;
  readonly history: PodHistory;
}

/** The pods that ModelDeployments control, as of the last look. */
export class PodBook {
  #pods: ReadonlyMap<string, KnownPod> = new Map();
  /** An object is never changed, so that it is read once. */
  readonly #views = new WeakMap<KubeObject, PodView>();

  all(): readonly KnownPod[] {
    return [...this.#pods.values()];
  }

  find(uid: string): KnownPod | undefined {
    return this.#pods.get(uid);
  }

  /** By its name, which no two have at a time. */
  findNamed({ namespace, name }: ObjectRef): KnownPod | undefined {
    return this.all().find(({ pod }) => pod.name === name && pod.namespace === namespace);
  }

  look(objects: readonly KubeObject[], now: Instant): void {
    const pods = objects.map((object) => this.#view(object)).filter((pod) => pod !== undefined);
    this.#pods = new Map(
      pods.map((pod) => [pod.uid, { pod, history: noteLook(this.#pods.get(pod.uid)?.history, pod, now) }]),
    );
  }

  /** It was ordered at `at`: from then on its provisioning counts. */
  noteOrdered(uid: string, at: Instant): void {
    const known = this.#pods.get(uid);
    if (known === undefined) return;
    this.#pods = new Map(this.#pods).set(uid, { ...known, history: { ...known.history, exists: at } });
  }

  #view(object: KubeObject): PodView | undefined {
    const known = this.#views.get(object);
    if (known !== undefined) return known;
    const view = viewPod(object);
    if (view !== undefined) this.#views.set(object, view);
    return view;
  }
}
