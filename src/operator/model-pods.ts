import { POD_SELECTOR } from '../api/cluster/pod-marks.ts';
import { PODS } from '../api/cluster/resources.ts';
import { KubernetesBackend, type KubernetesBackendParts } from '../backend/kubernetes/kubernetes-backend.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import { EdgeBook, type EdgeBookParts } from './edge-book.ts';
import type { PodName } from './event-writer.ts';

/** What the two have from each other and from here, they are not given. */
type BackendParts = Omit<KubernetesBackendParts, 'pods' | 'lanes' | 'unheard' | 'now' | 'wakeIn'>;
type BookParts = Pick<EdgeBookParts, 'onOrder'>;

export interface ModelPodsParts extends BackendParts, BookParts {
  readonly timers: Timers;
  /** Something has changed that others may be told of. */
  readonly onChange: () => void;
}

/** The pods that run models, and the edges that use them: what is done to the ones waits for the word of the others. */
export class ModelPods {
  readonly #parts: ModelPodsParts;
  readonly #lanes: WriteLanes;
  readonly #pods: Reflector;
  readonly backend: KubernetesBackend;
  readonly edges: EdgeBook;

  constructor(parts: ModelPodsParts) {
    const { api, timers, log } = parts;
    this.#parts = parts;
    this.#lanes = new WriteLanes({ log, timers });
    this.#pods = new Reflector({
      ...{ api, resource: PODS, scope: { labelSelector: POD_SELECTOR }, log, timers },
      onChange: () => {
        this.backend.podsChanged();
        parts.onChange();
      },
    });
    this.backend = this.#createBackend();
    this.edges = this.#createBook();
  }

  /** Reads all pods and reports, and follows them. Resolves early if `stop` comes before. */
  async start(): Promise<void> {
    await Promise.all([this.#pods.start(), this.edges.start()]);
  }

  /** Whether all of them were read. */
  get synced(): boolean {
    return this.#pods.synced && this.edges.synced;
  }

  /** Reads them anew. To be called after `start`. */
  async refresh(): Promise<void> {
    await Promise.all([this.#pods.refresh(), this.edges.refresh()]);
  }

  /** The API server answers again. */
  retryNow(): void {
    this.#pods.retryNow();
    this.edges.retryNow();
  }

  /** Whether there is a pod of this uid, whatever it does. */
  hasPod(uid: string): boolean {
    return this.#pods.find(uid) !== undefined;
  }

  /** `undefined`: it is not known, or never was a pod. */
  podOf(replica: ReplicaId): PodName | undefined {
    const pod = this.#pods.find(replica);
    if (pod?.metadata.namespace === undefined) return undefined;
    const { namespace, name, uid } = pod.metadata;
    return { namespace, name, uid };
  }

  /** Resolves when nothing is open any more. The pods go on serving. */
  async stop(): Promise<void> {
    this.backend.close();
    await Promise.all([this.#pods.stop(), this.edges.stop(), this.#lanes.close()]);
  }

  #createBackend(): KubernetesBackend {
    const { now, wakeIn } = this.#parts.timers;
    const backend = new KubernetesBackend({
      ...this.#parts,
      ...{ pods: this.#pods, lanes: this.#lanes, now, wakeIn },
      unheard: (replica) => this.edges.unheard(replica),
    });
    backend.onGateClosed((replica, epoch) => {
      this.edges.gateClosed(replica, epoch);
    });
    return backend;
  }

  #createBook(): EdgeBook {
    const edges = new EdgeBook({
      ...this.#parts,
      gateOf: (replica) => this.backend.gateOf(replica),
      lookAtSlots: async (replica) => this.backend.lookAtSlots(replica),
    });
    edges.onChange(this.#parts.onChange);
    return edges;
  }
}
