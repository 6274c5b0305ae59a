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
  /** Its writes must be refused when somebody else may lead; see LeaderLease. */
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
  readonly #events: EventWriter;
  readonly #publisher: StatusPublisher;
  readonly #startupLoads = new StartupLoads();
  #declared: ClusterCatalog<PodTemplate> = {
    catalog: { pools: [], presets: [] },
    templates: new Map(),
    acceptance: NOTHING_DECLARED,
  };
  #views: readonly PresetView[] = [];
  #willPublish = false;
  #reading: Promise<void> | undefined;
  #isRead = false;
  #isStopped = false;
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
    this.#events = this.#createEvents();
    this.#publisher = this.#createPublisher();
  }

  /** Reads everything and follows it, and decides nothing: it stands by. Resolves early if `stop` comes before. */
  async start(): Promise<void> {
    this.#reading ??= this.#read();
    await this.#reading;
  }

  /**
   * Plans from now on; resolves when it does, or if `stop` comes before. First it reads everything anew: a watch may be
   * behind, and another one has decided until now.
   */
  async lead(): Promise<void> {
    await this.start();
    await Promise.all([this.#pods.refresh(), this.#book.refresh(), this.#follower.refresh()]);
    if (this.#isRead && !this.#isStopped) this.#plan();
  }

  async #read(): Promise<void> {
    await Promise.all([this.#pods.start(), this.#book.start(), this.#follower.start()]);
    this.#isRead = this.#pods.synced && this.#book.synced && this.#declared.acceptance !== NOTHING_DECLARED;
  }

  #plan(): void {
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

  /** Why it could decide nothing yet; `undefined`: it leads, or could at once. */
  whyNotReady(): string | undefined {
    return this.#isRead ? undefined : 'not everything is read from the API server yet';
  }

  /** Whether it leads, and has read what it needs to. */
  get isPlanning(): boolean {
    return this.#control !== undefined;
  }

  /** What would become of a request for a model if it came now; `undefined`: nobody declares that name, or it does not plan. */
  plan(name: ModelName): ModelPlan | undefined {
    const control = this.#control;
    if (control === undefined) return undefined;
    const { acceptance } = this.#declared;
    return planByName({ name, acceptance, control, views: this.#views, now: this.#parts.timers.now() });
  }

  /** Decides nothing more, and resolves when nothing is open. The pods go on serving. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#control?.stop();
    this.#backend.close();
    const reading = [this.#pods.stop(), this.#book.stop(), this.#follower.stop()];
    await Promise.all([...reading, this.#lanes.close(), this.#events.stop()]);
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

  #createEvents(): EventWriter {
    const { api, wallNow, instance, nonce, log } = this.#parts;
    return new EventWriter({ api, log, wallNow, podOf: (replica) => this.#podOf(replica), instance, nonce });
  }

  #createPublisher(): StatusPublisher {
    const { api, timers, wallNow } = this.#parts;
    return new StatusPublisher({
      statuses: new StatusWriter({
        api,
        lanes: this.#lanes,
        onWritten: (resource, object) => {
          this.#follower.absorb(resource, object);
        },
      }),
      events: this.#events,
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
