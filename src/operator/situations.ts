import type { ActivitySource } from '../activity/ledger.ts';
import type { Acceptance, DeploymentVerdict } from '../api/cluster/accept.ts';
import type { ClusterPool } from '../api/cluster/decode-objects.ts';
import type { DeploymentSituation, PoolSituation, PresetSituation } from '../api/cluster/situation.ts';
import { formatObject, type PresetVerdict } from '../api/cluster/verdict.ts';
import type { PresetView } from '../control/control-loop.ts';
import type { PresetUid } from '../domain/ids.ts';
import { holdsCapacity, type Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import { phaseOf } from '../routing/build-route-table.ts';
import type { Standing } from '../routing/standing.ts';

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
  /** How many edges are alive. */
  readonly edges: number;
}

export interface Situations {
  readonly deployments: readonly DeploymentSituation[];
  readonly pools: readonly PoolSituation[];
  readonly presets: ReadonlyMap<PresetUid, PresetSituation>;
  /** Namespace, object and name of every declared preset. */
  readonly names: ReadonlyMap<PresetUid, string>;
}

/** Of a preset that nobody plans for. */
const UNPLANNED: Standing = {
  notAccepted: undefined,
  pool: 'open',
  backOff: undefined,
  waitsFor: undefined,
  ordered: false,
  lastLoad: undefined,
};

/** What is left of a failed replica says nothing about what its preset does now. */
const isRemains = ({ state }: Replica): boolean =>
  (state.kind === 'stopping' || state.kind === 'draining') && state.cause.kind === 'failed';

/** Looks things up by preset. */
class Index {
  readonly #replicas: ReadonlyMap<PresetUid, readonly Replica[]>;
  readonly #standings: ReadonlyMap<PresetUid, Standing>;
  readonly #activity: World['activity'];
  readonly #lastUse: World['lastUse'];

  constructor({ replicas, views, activity, lastUse }: World) {
    this.#replicas = Map.groupBy(replicas, ({ preset }) => preset);
    this.#standings = new Map(views.map(({ preset, standing }) => [preset.uid, standing]));
    this.#activity = activity;
    this.#lastUse = lastUse;
  }

  situationOf(verdict: PresetVerdict<unknown>): PresetSituation {
    const own = this.#replicas.get(verdict.uid);
    const replicas = own === undefined ? [] : own;
    const planned = this.#standings.get(verdict.uid);
    const standing = planned === undefined ? UNPLANNED : planned;
    const phase = phaseOf(
      replicas.filter((replica) => !isRemains(replica)),
      standing,
    );
    const isIdle = this.idleSince(verdict.uid) !== undefined;
    const lastUsed = isIdle ? this.#lastUse(verdict.uid) : undefined;
    return { verdict, replicas, phase, failure: standing.backOff, lastUsed };
  }

  idleSince(uid: PresetUid): Instant | undefined {
    const activity = this.#activity.activity(uid);
    return activity.kind === 'idle' ? activity.since : undefined;
  }
}

const isPaused = ({ decoded }: ClusterPool): boolean => decoded.kind === 'valid' && decoded.spec.pool.paused;

function ofDeployment(
  { deployment, presets }: DeploymentVerdict<unknown>,
  world: World,
  index: Index,
): DeploymentSituation {
  const pool = world.acceptance.pools.find(({ name }) => name === deployment.pool);
  return {
    deployment,
    presets: presets.map((verdict) => index.situationOf(verdict)),
    isPoolPaused: pool !== undefined && isPaused(pool),
    edges: world.edges,
  };
}

/** The loaded presets of a pool that nobody uses, the longest idle first; names break ties. */
function leastRecentlyUsed(presets: readonly PresetSituation[], index: Index): PresetUid[] {
  const idle = presets
    .filter(({ replicas }) => replicas.some(({ state }) => state.kind === 'ready'))
    .flatMap(({ verdict: { uid } }) => {
      const since = index.idleSince(uid);
      return since === undefined ? [] : [{ uid, since }];
    });
  const byIdle = (a: { uid: string; since: number }, b: { uid: string; since: number }): number =>
    a.since === b.since ? (a.uid < b.uid ? -1 : 1) : a.since - b.since;
  return idle.sort(byIdle).map(({ uid }) => uid);
}

function ofPool(
  pool: ClusterPool,
  { replicas }: World,
  presets: readonly PresetSituation[],
  index: Index,
): PoolSituation {
  return {
    pool,
    loaded: replicas.filter((replica) => replica.pool === pool.name && holdsCapacity(replica)).length,
    waiting: presets.filter(({ phase }) => phase.kind === 'waiting').length,
    idle: leastRecentlyUsed(presets, index),
  };
}

/** Puts together what was decided about everything that is declared and what it does. */
export function situationsOf(world: World): Situations {
  const index = new Index(world);
  const deployments = world.acceptance.verdicts.map((verdict) => ofDeployment(verdict, world, index));
  const byPool = Map.groupBy(deployments, ({ deployment }) => deployment.pool);
  const pools = world.acceptance.pools.map((pool) => {
    const own = byPool.get(pool.name);
    const presets = own === undefined ? [] : own.flatMap((one) => one.presets);
    return ofPool(pool, world, presets, index);
  });
  const all = deployments.flatMap(({ deployment, presets }) => presets.map((preset) => ({ deployment, preset })));
  return {
    deployments,
    pools,
    presets: new Map(all.map(({ preset }) => [preset.verdict.uid, preset])),
    names: new Map(
      all.map(({ deployment, preset: { verdict } }) => [
        verdict.uid,
        `${formatObject(deployment.ref)}/${verdict.name}`,
      ]),
    ),
  };
}
