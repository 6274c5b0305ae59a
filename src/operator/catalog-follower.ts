import { type Acceptance, acceptInSteps, catalogOf, saySameOfNames, templatesOf } from '../api/cluster/accept.ts';
import type { NamespaceLabels } from '../api/cluster/allows-namespace.ts';
import {
  decodeDeployment,
  decodePool,
  type ClusterDeployment,
  type ClusterPool,
} from '../api/cluster/decode-objects.ts';
import { NOTHING_GRANTED } from '../api/cluster/grant-names.ts';
import { createJudge, type JudgeDeployment } from '../api/cluster/judge-deployment.ts';
import { memoize } from '../domain/memoize.ts';
import type { PodOwner, PodSettings } from '../api/cluster/pod-settings.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES } from '../api/cluster/resources.ts';
import type { Rendered, Rendering } from '../api/cluster/verdict.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import { after, milliseconds, since, type Instant } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import { inSlices } from '../platform/in-slices.ts';
import type { Log } from '../platform/log.ts';
import { isSameList } from '../domain/is-same-list.ts';

/** Everything that is declared in the cluster at one moment. */
export interface ClusterCatalog<Template> {
  readonly catalog: Catalog;
  /** What the pods of each preset of the catalog are made from. */
  readonly templates: ReadonlyMap<PresetUid, Template>;
  /** Uids of ModelDeployments that are being deleted, and whose pods somebody wants to keep. */
  readonly orphaning: ReadonlySet<string>;
  readonly acceptance: Acceptance<Template>;
}

export interface CatalogFollowerParts<Template extends Rendering> {
  readonly api: KubeApi;
  readonly render: (settings: PodSettings) => Rendered<Template>;
  /** Called when all was listed for the first time, and after changes, at most once per turn of the event loop. */
  readonly onCatalog: (news: ClusterCatalog<Template>) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/** Kubernetes' finalizer for what is deleted with `--cascade=orphan` (metav1, `FinalizerOrphanDependents`). */
const ORPHAN = 'orphan';

const isOrphaning = ({ metadata: { deletionTimestamp, finalizers = [] } }: Pick<KubeObject, 'metadata'>): boolean =>
  deletionTimestamp !== undefined && finalizers.includes(ORPHAN);

/** For how long deciding holds everything else up at a time. */
const LONGEST_SLICE = milliseconds(10);

/** So many times as long as a decision has taken, none is begun unless somebody waits for it. */
const REST = 9;
const LONGEST_REST = milliseconds(500);

/** All that is declared, as it is at one moment. */
interface Declared {
  readonly deployments: readonly KubeObject[];
  readonly pools: readonly KubeObject[];
  readonly namespaces: readonly KubeObject[];
}

const NOTHING_DECLARED: Declared = { deployments: [], pools: [], namespaces: [] };

/**
 * A status is none of what is declared: mostly that is our own word, and a spec that says the same is the very same value in the copy of the
 * cluster.
 */
const isDeclaredAlike = (a: KubeObject, b: KubeObject): boolean =>
  a === b ||
  (a.metadata.uid === b.metadata.uid &&
    a['spec'] === b['spec'] &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    isOrphaning(a) === isOrphaning(b));

const areDeclaredAlike = (a: Declared, b: Declared): boolean =>
  isSameList(a.namespaces, b.namespaces) &&
  isSameList(a.pools, b.pools, isDeclaredAlike) &&
  isSameList(a.deployments, b.deployments, isDeclaredAlike);

const labelsOf = ({ metadata }: KubeObject): NamespaceLabels => new Map(Object.entries(metadata.labels ?? {}));

/**
 * Follows ModelDeployments, ModelPools and namespaces, and decides what of them is run. Which names were granted is
 * remembered, so that a status that is not written yet takes nobody's name away. Statuses of what is handed over may be older than
 * those that are known: see `newestDeployment` and `newestPool`.
 */
export class CatalogFollower<Template extends Rendering> {
  readonly #parts: CatalogFollowerParts<Template>;
  readonly #deployments: Reflector;
  readonly #pools: Reflector;
  readonly #namespaces: Reflector;
  readonly #decodeDeployment = memoize(decodeDeployment);
  readonly #decodePool = memoize(decodePool);
  readonly #judge: JudgeDeployment<Template>;
  #isFollowing = false;
  #willDecide = false;
  /** Something has changed since the last decision was begun. */
  #isDue = false;
  #deciding: Promise<void> | undefined;
  /** What was handed over last. */
  #news: ClusterCatalog<Template> | undefined;
  /** What was decided about last; statuses that have come since and say the same of names are in the places of those before. */
  #decided = NOTHING_DECLARED;
  /** Until when changes are collected, for the sake of all else that this process does. */
  #restsUntil: Instant | undefined;
  #cancelWake: (() => void) | undefined;

  constructor(parts: CatalogFollowerParts<Template>) {
    this.#parts = parts;
    this.#judge = createJudge(parts.render);
    this.#deployments = this.#reflect(MODEL_DEPLOYMENTS);
    this.#pools = this.#reflect(MODEL_POOLS);
    this.#namespaces = this.#reflect(NAMESPACES);
  }

  /** Resolves when all was listed and the first catalog was handed over; or when `stop` came before. */
  async start(): Promise<void> {
    const synced = await Promise.all(this.#all().map(async (reflector) => reflector.start()));
    if (synced.includes('stopped')) return;
    this.#isFollowing = true;
    await this.#decide();
  }

  /** The API server answers again. */
  retryNow(): void {
    for (const reflector of this.#all()) reflector.retryNow();
  }

  /** Reads everything anew, and hands over what is declared then; or `stop` came before. To be called after `start`. */
  async refresh(): Promise<void> {
    await Promise.all(this.#all().map(async (reflector) => reflector.refresh()));
    if (this.#isFollowing) await this.#decide();
  }

  /** Nothing is handed over any more. Resolves when nothing is open. */
  async stop(): Promise<void> {
    this.#isFollowing = false;
    this.#endRest();
    await Promise.all(this.#all().map(async (reflector) => reflector.stop()));
  }

  /** Takes in the answer to an own write of a status. */
  absorb(resource: Resource, object: KubeObject): void {
    if (resource.plural === MODEL_DEPLOYMENTS.plural) this.#deployments.absorb(object);
    if (resource.plural === MODEL_POOLS.plural) this.#pools.absorb(object);
  }

  /** The `resourceVersion` of a ModelDeployment or ModelPool as it is known now; `undefined`: it is gone. */
  versionOf({ plural }: Resource, uid: string): string | undefined {
    const kind = plural === MODEL_DEPLOYMENTS.plural ? this.#deployments : this.#pools;
    return kind.find(uid)?.metadata.resourceVersion;
  }

  /**
   * Whether this very ModelDeployment is there to stay, read by quorum. What is read is taken in, so that what is gone is
   * not declared any more from now on.
   */
  async isThere({ namespace, name, uid }: PodOwner): Promise<boolean> {
    const found = await this.#parts.api.get(MODEL_DEPLOYMENTS, { namespace, name });
    if (found !== undefined) this.#deployments.absorb(found);
    if (found?.metadata.uid !== uid) this.#deployments.absorbDeletion(uid);
    return found?.metadata.uid === uid && found.metadata.deletionTimestamp === undefined;
  }

  /** What is known now of a ModelDeployment that was handed over; itself, if it is gone. */
  newestDeployment(decided: ClusterDeployment): ClusterDeployment {
    const object = this.#deployments.find(decided.ref.uid);
    return object === undefined ? decided : this.#decodeDeployment(object);
  }

  /** The same of a ModelPool. */
  newestPool(decided: ClusterPool): ClusterPool {
    const object = this.#pools.find(decided.uid);
    return object === undefined ? decided : this.#decodePool(object);
  }

  #all(): readonly Reflector[] {
    return [this.#deployments, this.#pools, this.#namespaces];
  }

  /** Resolves when what there is now has been decided about, and was handed over; or when `stop` came before. */
  async #decide(): Promise<void> {
    this.#isDue = true;
    this.#deciding ??= this.#decideAll();
    await this.#deciding;
  }

  async #decideAll(): Promise<void> {
    const { now } = this.#parts.timers;
    while (this.#isDue && this.#isFollowing) {
      this.#isDue = false;
      const begun = now();
      const news = await inSlices(this.#accept(), this.#parts.timers.now, LONGEST_SLICE);
      this.#handOver(news);
      this.#restsUntil = after(now(), milliseconds(since(begun, now()) * REST));
    }
    this.#deciding = undefined;
  }

  /** Reads what is new, one object at a time, and then decides. */
  *#accept(): Generator<undefined, ClusterCatalog<Template>> {
    for (const object of this.#deployments.objects()) {
      this.#decodeDeployment(object);
      yield;
    }
    const { deployments, pools, namespaces } = (this.#decided = this.#declared());
    const acceptance = yield* acceptInSteps({
      deployments: deployments.map(this.#decodeDeployment),
      pools: pools.map(this.#decodePool),
      namespaces: new Map(namespaces.map((object) => [object.metadata.name, labelsOf(object)])),
      before: this.#news === undefined ? NOTHING_GRANTED : this.#news.acceptance.grants,
      judge: this.#judge,
    });
    const [catalog, templates] = [catalogOf(acceptance), templatesOf(acceptance)];
    // Whoever takes it in has much to do as well.
    yield;
    return { catalog, templates, orphaning: this.#orphaning(), acceptance };
  }

  /** What was decided last, if it holds as it is: only statuses have changed, and none of them says anything else of names. */
  #standing(): ClusterCatalog<Template> | undefined {
    if (this.#deciding !== undefined) return undefined;
    const declared = this.#declared();
    const isStanding =
      areDeclaredAlike(this.#decided, declared) &&
      isSameList(this.#decided.deployments, declared.deployments, (was, is) => this.#saySameOfNames(was, is));
    if (!isStanding) return undefined;
    this.#decided = declared;
    return this.#news;
  }

  #saySameOfNames(a: KubeObject, b: KubeObject): boolean {
    return a === b || saySameOfNames(this.#decodeDeployment(a), this.#decodeDeployment(b));
  }

  #orphaning(): ReadonlySet<string> {
    const leaving = this.#deployments.objects().filter(isOrphaning);
    return new Set(leaving.map(({ metadata }) => metadata.uid));
  }

  #handOver(news: ClusterCatalog<Template>): void {
    if (!this.#isFollowing) return;
    this.#news = news;
    this.#parts.onCatalog(news);
  }

  #reflect(resource: Resource): Reflector {
    const { api, log, timers } = this.#parts;
    const onChange = (): void => {
      this.#decideSoon();
    };
    return new Reflector({ api, resource, scope: {}, log, timers, onChange });
  }

  #declared(): Declared {
    return {
      deployments: this.#deployments.objects(),
      pools: this.#pools.objects(),
      namespaces: this.#namespaces.objects(),
    };
  }

  /**
   * Once for all kinds that change in this turn of the event loop. Where only statuses have changed, after a decision about so much
   * that it took long, once for all that change while it rests: a thousand that are written one after another are no thousand
   * decisions. What somebody declares or deletes waits for nothing.
   */
  #decideSoon(): void {
    if (this.#willDecide || !this.#isFollowing) return;
    const { now, wakeIn } = this.#parts.timers;
    const rest = this.#restsUntil === undefined ? 0 : since(now(), this.#restsUntil);
    if (rest > 0 && areDeclaredAlike(this.#decided, this.#declared())) {
      this.#cancelWake ??= wakeIn(milliseconds(Math.min(rest, LONGEST_REST)), () => {
        this.#decideNext();
      });
      return;
    }
    this.#willDecide = true;
    setImmediate(() => {
      this.#decideNext();
    });
  }

  #decideNext(): void {
    this.#willDecide = false;
    this.#endRest();
    if (!this.#isFollowing) return;
    const standing = this.#standing();
    if (standing === undefined) void this.#decide();
    else this.#handOver(standing);
  }

  #endRest(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
  }
}
