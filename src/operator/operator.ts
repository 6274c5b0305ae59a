import type { Acceptance } from '../api/cluster/accept.ts';
import { NOTHING_GRANTED } from '../api/cluster/grant-names.ts';
import type { PodView } from '../api/cluster/pod-view.ts';
import type { KubernetesBackendParts } from '../backend/kubernetes/kubernetes-backend.ts';
import { renderPodTemplate, type PodTemplate } from '../backend/kubernetes/render-pod-template.ts';
import { ControlLoop } from '../control/control-loop.ts';
import type { PresetView } from '../control/preset-views.ts';
import { presetUid, replicaId, type ModelName, type PresetUid, type ReplicaId } from '../domain/ids.ts';
import { isSameList } from '../domain/is-same-list.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import type { Catalog } from '../domain/preset.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { Announcer } from './announcer.ts';
import { CatalogFollower, type ClusterCatalog } from './catalog-follower.ts';
import type { ReportedOrder } from './edge-record.ts';
import { lastLoads } from './last-loads.ts';
import { ModelPods } from './model-pods.ts';
import { planByName } from './plan-by-name.ts';
import { presumedDead } from './presumed-dead.ts';
import { rememberedFailures } from './remembered-failures.ts';
import type { World } from './situations.ts';
import { StartupLoads } from './startup-loads.ts';
import { unschedulableAfter } from './unschedulable-after.ts';

export interface OperatorParts {
  /** Its writes must be refused when somebody else may lead; see LeaderLease. */
  readonly api: KubeApi;
  readonly timers: Timers;
  /** Asks a pod's own llama-server whether it is in use. */
  readonly lookAt: KubernetesBackendParts['lookAt'];
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Who writes Events: the name of the operator's pod. */
  readonly instance: string;
  /** Hexadecimal, and another one for each process. */
  readonly nonce: string;
  readonly log: Log;
}

const NOTHING_DECLARED: ClusterCatalog<PodTemplate> = {
  catalog: { pools: [], presets: [] },
  templates: new Map(),
  orphaning: new Set(),
  acceptance: { verdicts: [], pools: [], grants: NOTHING_GRANTED },
};

/** What the statuses of all pools say of it. */
const orderOfUse = ({ pools }: Acceptance<PodTemplate>): PresetUid[] =>
  pools.flatMap(({ status }) => (status?.lru ?? []).map(presetUid));

/** Runs the models of a cluster: what is declared, what the edges report and the pods go in; pods, statuses and Events come out. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #running: ModelPods;
  readonly #follower: CatalogFollower<PodTemplate>;
  readonly #announcer: Announcer;
  readonly #startupLoads = new StartupLoads();
  #declared = NOTHING_DECLARED;
  #views: readonly PresetView[] = [];
  #presumed = 0;
  #reading: Promise<void> | undefined;
  #isRead = false;
  #isStopped = false;
  /** Not before everything was read: a pod whose ModelDeployment is not read yet would look like one that has none. */
  #control: ControlLoop | undefined;

  constructor(parts: OperatorParts) {
    const { api, timers, log } = parts;
    this.#parts = parts;
    this.#follower = new CatalogFollower({
      ...{ api, timers, log },
      render: renderPodTemplate,
      onCatalog: (news) => {
        this.#take(news);
      },
    });
    this.#running = this.#createModelPods();
    this.#announcer = this.#createAnnouncer();
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
    await Promise.all([this.#running.refresh(), this.#follower.refresh()]);
    if (this.#isRead && !this.#isStopped) this.#plan();
  }

  /** The API server answers again. */
  retryNow(): void {
    this.#running.retryNow();
    this.#follower.retryNow();
  }

  async #read(): Promise<void> {
    await Promise.all([this.#running.start(), this.#follower.start()]);
    this.#isRead = this.#running.synced && this.#declared !== NOTHING_DECLARED;
  }

  #plan(): void {
    const { timers, log } = this.#parts;
    const { now, wakeIn } = timers;
    const { backend, edges } = this.#running;
    edges.recall(orderOfUse(this.#declared.acceptance));
    this.#control = new ControlLoop({
      backend,
      activity: edges,
      remembered: rememberedFailures(this.#declared.acceptance, now()),
      publish: (views) => {
        this.#views = views;
        this.#announcer.tellSoon();
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

  /** How often an edge was presumed dead, so that a pod was stopped without its word. */
  get presumedDead(): number {
    return this.#presumed;
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
    await Promise.all([this.#running.stop(), this.#follower.stop(), this.#announcer.stop()]);
  }

  #createModelPods(): ModelPods {
    return new ModelPods({
      ...this.#parts,
      templates: (uid) => this.#declared.templates.get(uid),
      isLeading: () => this.isPlanning,
      isLetGo: (ownerUid) => this.#declared.orphaning.has(ownerUid),
      isToldOf: (pod) => this.#isToldOf(pod),
      onPresumed: (replica, edges) => {
        this.#tellPresumed(replica, edges);
      },
      isThere: async (owner) => this.#follower.isThere(owner),
      unschedulableAfter: (pool) => unschedulableAfter(pool, this.#declared.acceptance.pools),
      lastLoad: (preset) => lastLoads(this.#declared.acceptance.verdicts).get(preset),
      onOrder: (order) => {
        this.#carryOut(order);
      },
      onChange: () => {
        this.#announcer.tellSoon();
      },
    });
  }

  #createAnnouncer(): Announcer {
    return new Announcer({
      ...this.#parts,
      podOf: (replica) => this.#running.podOf(replica),
      isLeading: () => this.isPlanning,
      look: () => this.#look(),
      newest: {
        deployment: (decided) => this.#follower.newestDeployment(decided),
        pool: (decided) => this.#follower.newestPool(decided),
      },
      versionOf: (resource, uid) => this.#follower.versionOf(resource, uid),
      onWritten: (resource, object) => {
        this.#follower.absorb(resource, object);
      },
      onTold: () => {
        this.#running.backend.failuresTold();
      },
    });
  }

  #take(news: ClusterCatalog<PodTemplate>): void {
    // Mostly what has changed is a status that was written, and nothing to plan with.
    const isNew = !isSameCatalog(this.#declared.catalog, news.catalog);
    this.#declared = news;
    if (this.#control !== undefined && isNew) this.#declare(this.#control);
    else this.#announcer.tellSoon();
  }

  #declare(control: ControlLoop): void {
    const { catalog, acceptance } = this.#declared;
    control.setCatalog(catalog);
    for (const uid of this.#startupLoads.due(acceptance)) control.wantLoaded(uid);
    this.#announcer.tellSoon();
  }

  /**
   * An order to unload means the replicas that its client has seen: a later one is not to suffer for it. One that names none takes back
   * an order to load.
   */
  #carryOut({ kind, preset, replicas }: ReportedOrder): void {
    const control = this.#control;
    if (control === undefined) return;
    const isMeant = this.#running.backend.observe().some(({ id }) => replicas.includes(id));
    const isTakenBack = replicas.length === 0 && control.isLoadOrdered(preset);
    if (kind === 'load') control.orderLoad(preset);
    else if (isMeant || isTakenBack) control.orderUnload(preset);
  }

  #tellPresumed(replica: ReplicaId, edges: readonly string[]): void {
    this.#presumed += edges.length;
    this.#parts.log.warn('edges are presumed dead: a replica is stopped without their word', { replica, edges });
    const preset = this.#running.backend.observe().find(({ id }) => id === replica)?.preset;
    this.#announcer.report(presumedDead(this.#declared.acceptance, { preset, replica, edges }));
  }

  /** Of what is not counted there is nothing to tell, nor of what was declared otherwise: a status is about what is declared now. */
  #isToldOf(pod: PodView): boolean {
    const note = this.#control?.failures.get(pod.preset);
    if (note?.counted.includes(replicaId(pod.uid)) !== true) return true;
    const declared = presetsByUid(this.#declared.catalog.presets).get(pod.preset);
    return note.rendered !== declared?.rendered || this.#announcer.hasToldFailure(pod);
  }

  #look(): World {
    const { backend, edges } = this.#running;
    return {
      acceptance: this.#declared.acceptance,
      views: this.#views,
      replicas: backend.observe(),
      activity: edges,
      lastUse: (uid) => edges.lastUse(uid),
      schedulerWords: (replica) => backend.schedulerWords(replica),
      failures: this.#control === undefined ? new Map() : this.#control.failures,
      hasPod: (uid) => this.#running.hasPod(uid),
      edges: edges.edges,
    };
  }
}

const isSameCatalog = (a: Catalog, b: Catalog): boolean =>
  isSameList(a.pools, b.pools) && isSameList(a.presets, b.presets);
