import { ANNOTATION, beneficiaryOf, formatGate, LABEL, LLAMA_SERVER, type Gate } from '../../api/cluster/pod-marks.ts';
import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import { PODS } from '../../api/cluster/resources.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { DrainCause } from '../../domain/replica.ts';
import { ApiError, hasChanged, isTemporary, type KubeApi } from '../../kube/kube-api.ts';
import type { KubeObject, ObjectRef } from '../../kube/kube-object.ts';
import { findDroppedVolume } from './find-dropped-volume.ts';
import { nextEpoch } from './next-epoch.ts';
import type { PodBook } from './pod-book.ts';
import type { PodWrite } from './pod-order.ts';
import type { RenderedPod } from './render-pod-template.ts';
import type { CreateRefusal } from './start.ts';

/** The copy of the cluster's pods that is read, and that takes in what our own calls have answered. */
export interface PodCache {
  objects(): readonly KubeObject[];
  absorb(object: KubeObject): void;
  absorbDeletion(uid: string): void;
}

/** `changed`: it was not written, since the pod is another than was thought. */
export type WriteOutcome = 'written' | 'changed';

/** How a creation went. `exists`: one of that name is there, and was read. */
export type CreateOutcome =
  | { readonly kind: 'created' | 'exists' | 'changed' }
  /** The API server will not have it, or the name is taken by what is not Corral's. */
  | ({ readonly kind: 'refused' } & CreateRefusal);

/**
 * What the API server says of a webhook of somebody else that does not answer, with status 500: it has made no pod, and will not
 * before that is mended (Kubernetes v1.34, k8s.io/apiserver, pkg/admission/plugin/webhook).
 */
const NO_WEBHOOK = 'failed calling webhook';
/** What it says with status 403 where a ResourceQuota is used up (pkg/admission/plugin/resourcequota there). */
const NO_QUOTA = 'exceeded quota: ';

/** Whether a failed write may have been carried out all the same. */
export const isDoubtful = (error: unknown): boolean =>
  isTemporary(error) && !(error instanceof ApiError && error.status === 429);

/**
 * The writes to pods, each under the condition that the pod is the one that was decided about, in the state that was
 * decided about. What the API server answers is taken into the cache, so that the next decision knows it. They throw
 * what is temporary or not understood.
 */
export class PodWrites {
  readonly #api: KubeApi;
  readonly #cache: PodCache;
  readonly #book: PodBook;

  constructor(api: KubeApi, cache: PodCache, book: PodBook) {
    this.#api = api;
    this.#cache = cache;
    this.#book = book;
  }

  async create(sent: RenderedPod): Promise<CreateOutcome> {
    try {
      this.#cache.absorb(await this.#api.create(PODS, sent));
      return { kind: 'created' };
    } catch (error) {
      return this.#explain(error, sent);
    }
  }

  /** Has everything done but storing it. `created`: it would be, and whole. */
  async tryOut(sent: RenderedPod): Promise<CreateOutcome> {
    try {
      const message = findDroppedVolume(sent, await this.#api.create(PODS, sent, { dryRun: true }));
      return message === undefined ? { kind: 'created' } : { kind: 'refused', code: 'CreateRefused', message };
    } catch (error) {
      return this.#explain(error, sent);
    }
  }

  async carryOut(write: PodWrite, pod: PodView): Promise<WriteOutcome> {
    try {
      if (write.kind === 'delete') await this.#delete(pod, write.graceSeconds);
      else await this.#setGate(pod, write.kind === 'close' ? write.cause : undefined);
      return 'written';
    } catch (error) {
      if (!hasChanged(error)) throw error;
      return 'changed';
    }
  }

  /** Reads by quorum what there is under a name, and forgets what was known under it and is no more. */
  async readBack(ref: ObjectRef): Promise<KubeObject | undefined> {
    // One that is made while the answer is on its way is not in it, and lives.
    const known = this.#knownAs(ref);
    const found = await this.#api.get(PODS, ref);
    for (const uid of known) {
      if (uid === found?.metadata.uid) continue;
      this.#cache.absorbDeletion(uid);
      this.#book.letGo(uid);
    }
    if (found !== undefined && isOwn(found)) this.#cache.absorb(found);
    return found;
  }

  /** The uids that are known under a name, also of pods that are lost. */
  #knownAs(ref: ObjectRef): ReadonlySet<string> {
    const known = [...this.#cache.objects().map(({ metadata }) => metadata), ...this.#book.all().map(({ pod }) => pod)];
    const named = known.filter(({ name, namespace }) => name === ref.name && namespace === ref.namespace);
    return new Set(named.map(({ uid }) => uid));
  }

  /** Changes the metadata of a pod that is as it was read. `changed`: it is not any more. */
  async putBack({ metadata }: KubeObject, changes: JsonObject): Promise<WriteOutcome> {
    const { uid, resourceVersion, namespace, name } = metadata;
    try {
      const patch = { uid, resourceVersion, body: { metadata: changes } };
      const pod = await this.#api.patch(PODS, { namespace, name }, patch);
      if (isOwn(pod)) this.#cache.absorb(pod);
      return 'written';
    } catch (error) {
      if (!hasChanged(error)) throw error;
      return 'changed';
    }
  }

  async #setGate(pod: PodView, cause: DrainCause | undefined): Promise<void> {
    const gate: Gate = { closed: cause !== undefined, epoch: nextEpoch(pod) };
    const annotations = {
      [ANNOTATION.gate]: formatGate(gate),
      [ANNOTATION.drainCause]: cause?.kind ?? null,
      [ANNOTATION.drainFor]: cause === undefined ? null : (beneficiaryOf(cause) ?? null),
    };
    const { uid, resourceVersion } = pod;
    this.#cache.absorb(await this.#api.patch(PODS, pod, { uid, resourceVersion, body: { metadata: { annotations } } }));
  }

  async #delete(pod: PodView, gracePeriodSeconds: number | undefined): Promise<void> {
    const { uid, resourceVersion } = pod;
    await this.#api.delete(PODS, pod, { uid, resourceVersion, gracePeriodSeconds });
    await this.readBack(pod);
  }

  async #explain(error: unknown, { metadata: { namespace, name } }: RenderedPod): Promise<CreateOutcome> {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
    if (isTemporary(error) && !error.message.includes(NO_WEBHOOK)) throw error;
    if (error.status !== 409) {
      const code = error.message.includes(NO_QUOTA) ? 'QuotaExceeded' : 'CreateRefused';
      return { kind: 'refused', code, message: `the pod is refused: ${error.message}` };
    }
    if (error.reason !== 'AlreadyExists') return { kind: 'changed' };
    const found = await this.readBack({ namespace, name });
    if (found === undefined || isOwn(found)) return { kind: 'exists' };
    return {
      kind: 'refused',
      code: 'CreateRefused',
      message: `there is a pod ${name} that is not Corral's; remove it`,
    };
  }
}

/** Whether a pod is in the scope of `POD_SELECTOR` and controlled by a ModelDeployment. */
export function isOwn(object: KubeObject): boolean {
  const { labels = {} } = object.metadata;
  return labels[LABEL.managedBy] === 'corral' && labels[LABEL.name] === LLAMA_SERVER && viewPod(object) !== undefined;
}
