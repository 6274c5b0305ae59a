import { type Acceptance, acceptAll, catalogOf, templatesOf } from '../api/cluster/accept.ts';
import type { NamespaceLabels } from '../api/cluster/allows-namespace.ts';
import { decodeDeployment, decodePool } from '../api/cluster/decode-objects.ts';
import type { NameHolders } from '../api/cluster/grant-names.ts';
import { memoize } from '../api/cluster/memoize.ts';
import type { PodSettings } from '../api/cluster/pod-settings.ts';
import { MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES } from '../api/cluster/resources.ts';
import type { Rendered, Rendering } from '../api/cluster/verdict.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';

/** Everything that is declared in the cluster at one moment. */
export interface ClusterCatalog<Template> {
  readonly catalog: Catalog;
  /** What the pods of each preset of the catalog are made from. */
  readonly templates: ReadonlyMap<PresetUid, Template>;
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

const labelsOf = ({ metadata }: KubeObject): NamespaceLabels => new Map(Object.entries(metadata.labels ?? {}));

/**
 * Follows ModelDeployments, ModelPools and namespaces, and decides what of them is run. Which names were granted is
 * remembered, so that a status that is not written yet takes nobody's name away.
 */
export class CatalogFollower<Template extends Rendering> {
  readonly #parts: CatalogFollowerParts<Template>;
  readonly #deployments: Reflector;
  readonly #pools: Reflector;
  readonly #namespaces: Reflector;
  readonly #decodeDeployment = memoize(decodeDeployment);
  readonly #decodePool = memoize(decodePool);
  #names: NameHolders = new Map();
  #isFollowing = false;
  #willDecide = false;

  constructor(parts: CatalogFollowerParts<Template>) {
    this.#parts = parts;
    this.#deployments = this.#reflect(MODEL_DEPLOYMENTS);
    this.#pools = this.#reflect(MODEL_POOLS);
    this.#namespaces = this.#reflect(NAMESPACES);
  }

  /** Resolves when all was listed and the first catalog was handed over; or when `stop` came before. */
  async start(): Promise<void> {
    const synced = await Promise.all(this.#all().map(async (reflector) => reflector.start()));
    if (synced.includes('stopped')) return;
    this.#isFollowing = true;
    this.#decide();
  }

  /** Reads everything anew, and hands over what is declared then; or `stop` came before. To be called after `start`. */
  async refresh(): Promise<void> {
    await Promise.all(this.#all().map(async (reflector) => reflector.refresh()));
    if (this.#isFollowing) this.#decide();
  }

  /** Nothing is handed over any more. Resolves when nothing is open. */
  async stop(): Promise<void> {
    this.#isFollowing = false;
    await Promise.all(this.#all().map(async (reflector) => reflector.stop()));
  }

  /** Takes in the answer to an own write of a status. */
  absorb(resource: Resource, object: KubeObject): void {
    if (resource.plural === MODEL_DEPLOYMENTS.plural) this.#deployments.absorb(object);
    if (resource.plural === MODEL_POOLS.plural) this.#pools.absorb(object);
  }

  #all(): readonly Reflector[] {
    return [this.#deployments, this.#pools, this.#namespaces];
  }

  #decide(): void {
    const acceptance = acceptAll({
      deployments: this.#deployments.objects().map(this.#decodeDeployment),
      pools: this.#pools.objects().map(this.#decodePool),
      namespaces: new Map(this.#namespaces.objects().map((object) => [object.metadata.name, labelsOf(object)])),
      before: this.#names,
      render: this.#parts.render,
    });
    this.#names = acceptance.names;
    this.#parts.onCatalog({ catalog: catalogOf(acceptance), templates: templatesOf(acceptance), acceptance });
  }

  #reflect(resource: Resource): Reflector {
    const { api, log, timers } = this.#parts;
    const onChange = (): void => {
      this.#decideSoon();
    };
    return new Reflector({ api, resource, scope: {}, log, timers, onChange });
  }

  /** Once for all kinds that change in this turn of the event loop. */
  #decideSoon(): void {
    if (this.#willDecide || !this.#isFollowing) return;
    this.#willDecide = true;
    setImmediate(() => {
      this.#willDecide = false;
      if (this.#isFollowing) this.#decide();
    });
  }
}
