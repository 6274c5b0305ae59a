import type { Acceptance } from '../api/cluster/accept.ts';
import { POD_SELECTOR } from '../api/cluster/pod-marks.ts';
import { PODS } from '../api/cluster/resources.ts';
import { KubernetesBackend } from '../backend/kubernetes/kubernetes-backend.ts';
import { renderPodTemplate, type PodTemplate } from '../backend/kubernetes/render-pod-template.ts';
import { ControlLoop, type PresetView } from '../control/control-loop.ts';
import type { ModelName, ReplicaId } from '../domain/ids.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import type { Log } from '../platform/log.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { CatalogFollower, type ClusterCatalog } from './catalog-follower.ts';
import { EdgeBook } from './edge-book.ts';
import type { ReportedOrder } from './edge-record.ts';
import { EventWriter, type PodName } from './event-writer.ts';
import { planByName } from './plan-by-name.ts';
import { StartupLoads } from './startup-loads.ts';
import { StatusPublisher } from './status-publisher.ts';
import { StatusWriter } from './status-writer.ts';
import { unschedulableAfter } from './unschedulable-after.ts';

export interface OperatorParts {
  readonly api: KubeApi;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Who writes Events: the name of the operator's pod. */
  readonly instance: string;
  /** Hexadecimal, and another one for each process. */
  readonly nonce: string;
  readonly log: Log;
}

const NOTHING_DECLARED: Acceptance<PodTemplate> = { verdicts: [], pools: [], names: new Map() };

/** Runs the models of a cluster: what is declared, what the edges report and the pods go in; pods, statuses and Events come out. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #lanes: WriteLanes;
  readonly #pods: Reflector;
  readonly #backend: KubernetesBackend;
  readonly #book: EdgeBook;
  readonly #follower: CatalogFollower<PodTemplate>;
  readonly #publisher: StatusPublisher;
  readonly #startupLoads = new StartupLoads();
  #declared: ClusterCatalog<PodTemplate> = {
    catalog: { pools: [], presets: [] },
    templates: new Map(),
    acceptance: NOTHING_DECLARED,
  };
  #views: readonly PresetView[] = [];
  #willPublish = false;
  /** Not before everything was read: a pod whose ModelDeployment is not read yet would look like one that has none. */
  #control: ControlLoop | undefined;

  constructor(parts: OperatorParts) {
    const { api, timers, log } = parts;
    this.#parts = parts;
    this.#lanes = new WriteLanes({ log, timers });
    this.#pods = new Reflector({
      api,
      resource: PODS,
      scope: { labelSelector: POD_SELECTOR },
      log,
      timers,
      onChange: () => {
        this.#backend.podsChanged();
        this.#publishSoon();
      },
    });
    this.#backend = this.#createBackend();
    this.#book = this.#createBook();
    this.#follower = new CatalogFollower({
      api,
      render: renderPodTemplate,
      onCatalog: (news) => {
        this.#take(news);
      },
      timers,
      log,
    });
    this.#publisher = this.#createPublisher();
  }

  /** Reads everything, and plans from then on. Resolves early if `stop` comes before. */
  async start(): Promise<void> {
    await Promise.all([this.#pods.start(), this.#book.start(), this.#follower.start()]);
    if (!this.#pods.synced || !this.#book.synced || this.#declared.acceptance === NOTHING_DECLARED) return;
    const { timers, log } = this.#parts;
    const { now, wakeIn } = timers;
    this.#control = new ControlLoop({
      backend: this.#backend,
      activity: this.#book,
      publish: (views) => {
        this.#views = views;
        this.#publishSoon();
      },
      log,
      now,
      wakeIn,
    });
    this.#declare(this.#control);
  }

  /** Why it decides nothing yet; `undefined`: it does. */
  whyNotReady(): string | undefined {
    return this.#control === undefined ? 'not everything is read from the API server yet' : undefined;
  }

  /** What would become of a request for a model if it came now; `undefined`: nobody declares that name, or nothing is read yet. */
  plan(name: ModelName): ModelPlan | undefined {
    const control = this.#control;
    if (control === undefined) return undefined;
    const { acceptance } = this.#declared;
    return planByName({ name, acceptance, control, views: this.#views, now: this.#parts.timers.now() });
  }

  /** Decides nothing more, and resolves when nothing is open. The pods go on serving. */
  async stop(): Promise<void> {
    this.#control?.stop();
    this.#backend.close();
    await Promise.all([this.#pods.stop(), this.#book.stop(), this.#follower.stop(), this.#lanes.close()]);
  }

  #createBackend(): KubernetesBackend {
    const { api, timers, log } = this.#parts;
    const backend = new KubernetesBackend({
      api,
      pods: this.#pods,
      lanes: this.#lanes,
      templates: (uid) => this.#declared.templates.get(uid),
      unschedulableAfter: (pool) => unschedulableAfter(pool, this.#declared.acceptance.pools),
      now: timers.now,
      wakeIn: timers.wakeIn,
      log,
    });
    backend.onGateClosed((replica, epoch) => {
      this.#book.gateClosed(replica, epoch);
    });
    return backend;
  }

  #createBook(): EdgeBook {
    const { api, timers, log } = this.#parts;
    const book = new EdgeBook({
      api,
      gateOf: (replica) => this.#backend.gateOf(replica),
      onOrder: (order) => {
        this.#carryOut(order);
      },
      timers,
      log,
    });
    book.onChange(() => {
      this.#publishSoon();
    });
    return book;
  }

  #createPublisher(): StatusPublisher {
    const { api, timers, wallNow, instance, nonce, log } = this.#parts;
    return new StatusPublisher({
      statuses: new StatusWriter({
        api,
        lanes: this.#lanes,
        onWritten: (resource, object) => {
          this.#follower.absorb(resource, object);
        },
      }),
      events: new EventWriter({ api, log, wallNow, podOf: (replica) => this.#podOf(replica), instance, nonce }),
      clock: () => ({ now: timers.now(), wall: wallNow() }),
    });
  }

  #take(news: ClusterCatalog<PodTemplate>): void {
    this.#declared = news;
    if (this.#control !== undefined) this.#declare(this.#control);
  }

  #declare(control: ControlLoop): void {
    const { catalog, acceptance } = this.#declared;
    control.setCatalog(catalog);
    for (const uid of this.#startupLoads.due(acceptance)) control.orderLoad(uid);
    this.#publishSoon();
  }

  /** An order to unload means the replicas that its client has seen: a later one is not to suffer for it. */
  #carryOut({ kind, preset, replicas }: ReportedOrder): void {
    const control = this.#control;
    if (control === undefined) return;
    const meant = this.#backend.observe().some(({ id }) => replicas.includes(id));
    if (kind === 'load') control.orderLoad(preset);
    else if (meant) control.orderUnload(preset);
  }

  #podOf(replica: ReplicaId): PodName | undefined {
    const pod = this.#pods.find(replica);
    if (pod?.metadata.namespace === undefined) return undefined;
    const { namespace, name, uid } = pod.metadata;
    return { namespace, name, uid };
  }

  /** Once for all that changes in this turn of the event loop. */
  #publishSoon(): void {
    if (this.#willPublish || this.#control === undefined) return;
    this.#willPublish = true;
    setImmediate(() => {
      this.#willPublish = false;
      this.#publisher.publish({
        acceptance: this.#declared.acceptance,
        views: this.#views,
        replicas: this.#backend.observe(),
        activity: this.#book,
        lastUse: (uid) => this.#book.lastUse(uid),
        schedulerWords: (replica) => this.#backend.schedulerWords(replica),
        edges: this.#book.edges,
      });
    });
  }
}
