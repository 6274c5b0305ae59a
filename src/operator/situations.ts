import { footprintOf } from '../domain/is-current.ts';
import type { ActivitySource } from '../activity/ledger.ts';
import type { Acceptance, DeploymentVerdict } from '../api/cluster/accept.ts';
import type { ClusterPool } from '../api/cluster/decode-objects.ts';
import type { DeploymentSituation, LastFailure, PoolSituation, PresetSituation } from '../api/cluster/situation.ts';
import { formatObject, type PresetVerdict } from '../api/cluster/verdict.ts';
import type { PresetView } from '../control/preset-views.ts';
import type { FailureNote } from '../control/failures.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { memoize } from '../domain/memoize.ts';
import { holdsCapacity, type Replica } from '../domain/replica.ts';
import { NO_RESOURCES, plus, type Resources } from '../domain/resources.ts';
import { since, type Instant } from '../domain/units.ts';
import type { Bin } from '../domain/pool.ts';
import { phaseOf } from '../routing/build-route-table.ts';
import { NOTHING_SAID } from '../routing/standing.ts';
import { describeTooLarge } from './describe-too-large.ts';

/** Everything that statuses and Events tell of, all of it of one moment. */
export interface World {
  readonly acceptance: Acceptance<unknown>;
  /** What the control loop has published: accepted presets. */
  readonly views: readonly PresetView[];
  /** What the backend observes: also of presets that are refused or gone. */
  readonly replicas: readonly Replica[];
  readonly activity: Pick<ActivitySource, 'activity'>;
  /** When a preset was last in use; `undefined`: nobody has told of a use. */
  readonly lastUse: (uid: PresetUid) => Instant | undefined;
  /** Why no node takes the pod of a replica, as the scheduler says; `undefined`: one does, or it has not said. */
  readonly schedulerWords: (replica: ReplicaId) => string | undefined;
  /** Each preset's last failure, also when it may be tried again. */
  readonly failures: ReadonlyMap<PresetUid, FailureNote>;
  /** Whether there is a pod of this uid, whatever it does. */
  readonly hasPod: (uid: string) => boolean;
  /** How many edges are alive. */
  readonly edges: number;
}

export interface Situations {
  /** One about which nothing has changed is the very same value as before. */
  readonly deployments: readonly DeploymentSituation[];
  readonly byUid: ReadonlyMap<string, DeploymentSituation>;
  readonly pools: readonly PoolSituation[];
  readonly presets: ReadonlyMap<PresetUid, PresetSituation>;
  /** Namespace, object and name of every declared preset. */
  readonly names: ReadonlyMap<PresetUid, string>;
  /** Replicas that no node takes, and why, as the scheduler says. */
  readonly unschedulable: ReadonlyMap<ReplicaId, string>;
}

/** What is left of a failed replica says nothing about what its preset does now. */
const isRemains = ({ state }: Replica): boolean =>
  (state.kind === 'stopping' || state.kind === 'draining') && state.cause.kind === 'failed';

const isPaused = ({ decoded }: ClusterPool): boolean => decoded.kind === 'valid' && decoded.spec.pool.paused;

/** Nothing runs or is wanted of it. */
const isAtRest = ({ phase, replicas, lastFailure }: PresetSituation): boolean =>
  phase.kind === 'unloaded' && replicas.length === 0 && lastFailure === undefined;

const NONE: readonly Replica[] = [];

const viewsByUid = memoize((views: readonly PresetView[]): ReadonlyMap<PresetUid, PresetView> => {
  const found = new Map<PresetUid, PresetView>();
  for (const view of views) found.set(view.preset.uid, view);
  return found;
});

/** Looks things up by preset. */
class Index {
  readonly #replicas: ReadonlyMap<PresetUid, readonly Replica[]>;
  readonly #views: ReadonlyMap<PresetUid, PresetView>;
  readonly #bins: ReadonlyMap<string, readonly Bin[]>;
  readonly #paused: ReadonlySet<string>;
  readonly #activity: World['activity'];
  readonly #lastUse: World['lastUse'];
  readonly #world: Pick<World, 'failures' | 'hasPod'>;

  constructor(world: World) {
    const { acceptance, replicas, views, activity, lastUse } = world;
    this.#world = world;
    this.#replicas = Map.groupBy(replicas, ({ preset }) => preset);
    this.#views = viewsByUid(views);
    this.#paused = new Set(acceptance.pools.filter(isPaused).map(({ name }) => name));
    this.#bins = new Map(
      acceptance.pools.flatMap(({ name, decoded }) =>
        decoded.kind === 'valid' ? [[name, decoded.spec.pool.bins]] : [],
      ),
    );
    this.#activity = activity;
    this.#lastUse = lastUse;
  }

  situationOf(verdict: PresetVerdict<unknown>): PresetSituation {
    const own = this.#replicas.get(verdict.uid);
    const replicas = own === undefined ? [] : own;
    const planned = this.#views.get(verdict.uid);
    const standing = planned === undefined ? NOTHING_SAID : planned.standing;
    const phase = phaseOf(
      replicas.filter((replica) => !isRemains(replica)),
      standing,
    );
    return {
      verdict,
      replicas,
      phase,
      failure: standing.backOff,
      lastFailure: this.#lastFailure(planned),
      tooLarge: this.#tooLarge(planned),
      lastUsed: this.#lastUsed(verdict.uid),
    };
  }

  /** Nothing runs or is wanted of it, nor did or was when it was told of last: what is told of that follows from the verdict alone. */
  isStillAtRest(last: PresetSituation | undefined, verdict: PresetVerdict<unknown>): boolean {
    const { uid } = verdict;
    if (last?.verdict !== verdict || !isAtRest(last) || this.#replicas.has(uid)) return false;
    if (this.#world.failures.has(uid) || last.lastUsed !== this.#lastUsed(uid)) return false;
    const planned = this.#views.get(uid);
    return planned === undefined || phaseOf(NONE, planned.standing).kind === 'unloaded';
  }

  isPaused(pool: string): boolean {
    return this.#paused.has(pool);
  }

  #lastUsed(uid: PresetUid): Instant | undefined {
    const lastUse = this.#lastUse(uid);
    return lastUse === undefined || this.idleSince(uid) === undefined ? undefined : lastUse;
  }

  #lastFailure(planned: PresetView | undefined): LastFailure | undefined {
    const note = planned === undefined ? undefined : this.#world.failures.get(planned.preset.uid);
    if (note === undefined || note.rendered !== planned?.preset.rendered) return undefined;
    const { failure, rendered, count: inARow, until: retryAt } = note;
    const { code, reason: words, at } = failure;
    const pods = note.counted.filter((id) => this.#world.hasPod(id));
    return { code, words, rendered, inARow, wait: since(at, retryAt), retryAt, pods };
  }

  #tooLarge(planned: PresetView | undefined): string | undefined {
    const bins = planned === undefined ? undefined : this.#bins.get(planned.preset.pool);
    return planned === undefined || bins === undefined ? undefined : describeTooLarge(planned.preset.footprint, bins);
  }

  isKnown(uid: PresetUid): boolean {
    return this.#activity.activity(uid).kind !== 'unknown';
  }

  takenBy(replica: Replica): Resources {
    return footprintOf(replica, this.#views.get(replica.preset)?.preset);
  }

  idleSince(uid: PresetUid): Instant | undefined {
    const activity = this.#activity.activity(uid);
    return activity.kind === 'idle' ? activity.since : undefined;
  }
}

function ofDeployment(
  { deployment, presets }: DeploymentVerdict<unknown>,
  world: World,
  index: Index,
): DeploymentSituation {
  return {
    deployment,
    presets: presets.map((verdict) => index.situationOf(verdict)),
    isPoolPaused: index.isPaused(deployment.pool),
    edges: world.edges,
  };
}

/** Of thousands of presets few do anything: the others need not be looked at, nor told of, again. */
function isAsBefore(
  last: DeploymentSituation,
  { deployment, presets }: DeploymentVerdict<unknown>,
  world: World,
  index: Index,
): boolean {
  return (
    last.deployment === deployment &&
    last.isPoolPaused === index.isPaused(deployment.pool) &&
    last.edges === world.edges &&
    presets.every((verdict, place) => index.isStillAtRest(last.presets[place], verdict))
  );
}

const isLoaded = ({ replicas }: PresetSituation): boolean => replicas.some(({ state }) => state.kind === 'ready');

/** Of the loaded presets of a pool those that nobody uses, the longest idle first; names break ties. `undefined`: of one it is unknown. */
function leastRecentlyUsed(loaded: readonly PresetSituation[], index: Index): PresetUid[] | undefined {
  if (loaded.some(({ verdict: { uid } }) => !index.isKnown(uid))) return undefined;
  const idle = loaded.flatMap(({ verdict: { uid } }) => {
    const since = index.idleSince(uid);
    return since === undefined ? [] : [{ uid, since }];
  });
  const byIdle = (a: { uid: string; since: number }, b: { uid: string; since: number }): number =>
    a.since === b.since ? (a.uid < b.uid ? -1 : 1) : a.since - b.since;
  return idle.sort(byIdle).map(({ uid }) => uid);
}

/** By their places. */
function queueOf({ name }: ClusterPool, { views }: World): PresetUid[] {
  const inQueue = views.filter(({ preset, standing }) => preset.pool === name && standing.waitsFor !== undefined);
  const waiting = inQueue.flatMap(({ preset: { uid }, standing: { waitsFor } }) =>
    waitsFor?.position === undefined ? [] : [{ uid, place: waitsFor.position }],
  );
  return waiting.sort((a, b) => a.place - b.place).map(({ uid }) => uid);
}

function ofPool(pool: ClusterPool, world: World, loaded: readonly PresetSituation[], index: Index): PoolSituation {
  const holding = world.replicas.filter((replica) => replica.pool === pool.name && holdsCapacity(replica));
  return {
    pool,
    loaded: holding.length,
    used: holding.map((replica) => index.takenBy(replica)).reduce(plus, NO_RESOURCES),
    queue: queueOf(pool, world),
    idle: leastRecentlyUsed(loaded, index),
  };
}

/** Made once for each decision: thousands of names are asked for one by one, with every look. */
const namesOf = memoize(
  (verdicts: readonly DeploymentVerdict<unknown>[]): Situations['names'] =>
    new Map(
      verdicts.flatMap(({ deployment, presets }) =>
        presets.map(({ uid, name }): [PresetUid, string] => [uid, `${formatObject(deployment.ref)}/${name}`]),
      ),
    ),
);

/** Puts together what was decided about everything that is declared and what it does. `before`: what was put together last. */
export function situationsOf(world: World, before?: Situations): Situations {
  const index = new Index(world);
  const { verdicts, pools } = world.acceptance;
  const deployments = verdicts.map((verdict) => {
    const last = before?.byUid.get(verdict.deployment.ref.uid);
    return last !== undefined && isAsBefore(last, verdict, world, index) ? last : ofDeployment(verdict, world, index);
  });
  const presets = new Map<PresetUid, PresetSituation>();
  for (const one of deployments) for (const preset of one.presets) presets.set(preset.verdict.uid, preset);
  return {
    deployments,
    byUid: new Map(deployments.map((one) => [one.deployment.ref.uid, one])),
    pools: pools.map((pool) => ofPool(pool, world, loadedIn(pool, deployments), index)),
    presets,
    names: namesOf(verdicts),
    unschedulable: new Map(
      world.replicas.flatMap(({ id }) => {
        const words = world.schedulerWords(id);
        return words === undefined ? [] : [[id, words]];
      }),
    ),
  };
}

const loadedIn = ({ name }: ClusterPool, deployments: readonly DeploymentSituation[]): readonly PresetSituation[] =>
  deployments
    .filter(({ deployment, presets }) => deployment.pool === name && presets.some(isLoaded))
    .flatMap(({ presets }) => presets.filter(isLoaded));
