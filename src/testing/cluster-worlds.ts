import { WHOLE_POOL } from '../domain/pool.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import type { ClusterObject } from '../api/cluster/decode-objects.ts';
import type { PresetView } from '../control/preset-views.ts';
import type { Activity } from '../domain/activity.ts';
import { type PresetUid, poolName, presetUid, replicaId } from '../domain/ids.ts';
import type { DrainCause, Replica, ReplicaState } from '../domain/replica.ts';
import { instant, milliseconds, type Instant } from '../domain/units.ts';
import type { World } from '../operator/situations.ts';
import { NOTHING_SAID, type Standing } from '../routing/standing.ts';
import { type AcceptOptions, acceptObjects } from './declared-objects.ts';

/** What a cluster does beside what is declared in it. Presets are named `<object>/<preset>`. */
export interface WorldSketch extends AcceptOptions {
  readonly replicas?: readonly Replica[];
  readonly standings?: Readonly<Record<string, Partial<Standing>>>;
  /** Since when a preset is idle; one that is missing is in use. */
  readonly idleSince?: Readonly<Record<string, number>>;
  /** Presets of which nobody knows whether they are in use. */
  readonly unknown?: readonly string[];
  /** Presets that are idle because nobody has ever used them. */
  readonly neverUsed?: readonly string[];
  /** The last failures of presets. */
  readonly failures?: World['failures'];
  readonly edges?: number;
  /** Of replicas that no node takes, by their ids. */
  readonly schedulerWords?: Readonly<Record<string, string>>;
}

export const uidOf = (preset: string): PresetUid => presetUid(preset.replace('/', '-uid/'));

/** A replica `id` of `<object>/<preset>` in pool `default`. */
export const podOf = (preset: string, state: ReplicaState, id = `${preset}-pod`): Replica => ({
  id: replicaId(id),
  preset: uidOf(preset),
  pool: poolName('default'),
  bin: WHOLE_POOL,
  footprint: NO_RESOURCES,
  rendered: 'rendered',
  serves: 'serves',
  state,
});

export const starting: ReplicaState = { kind: 'starting', since: instant(0) };
export const ready = (since = 0, loadTime = 1500): ReplicaState & { readonly kind: 'ready' } => ({
  kind: 'ready',
  since: instant(since),
  loadTime: milliseconds(loadTime),
  endpoint: { origin: 'http://10.0.0.1:8080', prefix: '/secret' },
});
export const draining = (cause: DrainCause): ReplicaState => ({ kind: 'draining', since: instant(0), cause });
export const stopping = (cause: DrainCause): ReplicaState => ({ kind: 'stopping', since: instant(0), cause });

/** The world of these ModelDeployments. */
export function clusterWorld(deployments: readonly ClusterObject[], sketch: WorldSketch = {}): World {
  const {
    replicas = [],
    standings = {},
    idleSince = {},
    neverUsed = [],
    unknown = [],
    failures = new Map(),
    edges = 1,
    ...options
  } = sketch;
  const { schedulerWords = {} } = sketch;
  const acceptance = acceptObjects(deployments, options);
  const said = new Map(Object.entries(standings).map(([preset, standing]) => [uidOf(preset), standing]));
  const words = new Map<string, string>(Object.entries(schedulerWords));
  const idle = new Map(Object.entries(idleSince).map(([preset, since]) => [uidOf(preset), since]));
  const views = acceptance.verdicts.flatMap(({ presets }) =>
    presets.flatMap(({ uid, outcome }): PresetView[] => {
      if (outcome.kind === 'refused') return [];
      const own = replicas.filter(({ preset }) => preset === uid);
      return [{ preset: outcome.preset, replicas: own, standing: { ...NOTHING_SAID, ...said.get(uid) } }];
    }),
  );
  const activity = (uid: PresetUid): Activity => {
    const since = idle.get(uid);
    if (unknown.some((preset) => uidOf(preset) === uid)) return { kind: 'unknown' };
    return since === undefined ? { kind: 'busy', inFlight: 1 } : { kind: 'idle', since: instant(since) };
  };
  const lastUse = (uid: PresetUid): Instant | undefined => {
    const since = idle.get(uid);
    return since === undefined || neverUsed.some((preset) => uidOf(preset) === uid) ? undefined : instant(since);
  };
  return {
    acceptance,
    views,
    replicas,
    activity: { activity },
    lastUse,
    schedulerWords: (id) => words.get(id),
    failures,
    hasPod: (id) => replicas.some((one) => one.id === id),
    edges,
  };
}
