import type { PodView } from '../api/cluster/pod-view.ts';
import type { Declared } from '../activity/ledger.ts';
import type { PoolName, PresetUid, ReplicaId } from '../domain/ids.ts';
import { replicaId } from '../domain/ids.ts';
import { causeOf } from '../domain/replica.ts';
import { earliest, type Instant } from '../domain/units.ts';
import { isLackOfRoom } from '../domain/wait-reason.ts';
import { buildRouteTable } from '../routing/build-route-table.ts';
import type { RoutedPreset, RouteTable } from '../routing/route.ts';
import type { Standing } from '../routing/standing.ts';
import { edgeReplica, type EdgeReplica } from './edge-replica.ts';

/** A preset whose names reach it, and how it stands. */
export interface DeclaredPreset {
  readonly preset: RoutedPreset;
  readonly standing: Standing;
}

/** What there is at one moment, as objects tell. */
export interface Seen {
  readonly presets: readonly DeclaredPreset[];
  readonly pods: readonly PodView[];
  /** How a preset stands, with what clients have ordered here and its status may not say yet. */
  readonly underOrders: (preset: PresetUid, told: Standing) => Standing;
  readonly now: Instant;
}

/** What an edge goes by until it looks again: a table, and what holds as long as that table does. */
export interface RouteLook {
  readonly table: RouteTable;
  readonly replicas: ReadonlyMap<PresetUid, readonly EdgeReplica[]>;
  /** What replicas of those presets serve that have a route; others are of no use to it. */
  readonly serves: ReadonlyMap<PresetUid, string>;
  /** Presets whose requests are counted. */
  readonly declared: ReadonlyMap<PresetUid, Declared>;
  /** Presets whose status tells of a failed load, after which they are not tried again yet. */
  readonly backingOff: ReadonlySet<PresetUid>;
  /** Closed gates that the table obeys, by pod: their epochs. */
  readonly acks: ReadonlyMap<ReplicaId, number>;
  /** Pools in which somebody waits for room, as the operator has written. */
  readonly contended: ReadonlySet<PoolName>;
  /** When it holds no longer by time alone: a back-off ends. */
  readonly until: Instant | undefined;
}

/** Before anything was seen. */
export const NOTHING_SEEN: Omit<RouteLook, 'table'> = {
  replicas: new Map(),
  serves: new Map(),
  declared: new Map(),
  backingOff: new Set(),
  acks: new Map(),
  contended: new Set(),
  until: undefined,
};

/** All of it is made before any of it is used: what throws here has changed nothing. */
export function lookAtRoutes(seen: Seen): RouteLook {
  const { presets, pods, now } = seen;
  const replicas = Map.groupBy(
    pods.flatMap((pod) => edgeReplica(pod, now) ?? []),
    ({ preset }) => preset,
  );
  const ends = presets.flatMap(({ standing }) => standing.backOff?.retryAt ?? []);
  return {
    table: buildRouteTable(presets.map((declared) => sourceOf(declared, replicas, seen))),
    replicas,
    serves: new Map(presets.map(({ preset }) => [preset.uid, preset.serves])),
    declared: countedOf(presets, [...replicas.keys()]),
    backingOff: new Set(presets.filter(isBackingOff).map(({ preset }) => preset.uid)),
    acks: new Map(pods.flatMap(acknowledge)),
    contended: new Set(presets.filter(waitsForRoom).map(({ preset }) => preset.pool)),
    until: earliest(ends.filter((at) => at > now)),
  };
}

function sourceOf(
  { preset, standing }: DeclaredPreset,
  replicas: RouteLook['replicas'],
  { underOrders }: Seen,
): DeclaredPreset & { readonly replicas: readonly EdgeReplica[] } {
  const found = replicas.get(preset.uid);
  const own = found === undefined ? [] : found;
  return { preset, standing: underOrders(preset.uid, orderedByItself({ preset, standing }, own)), replicas: own };
}

/**
 * A preset orders its own load as `settleOrders` says, and its pods tell before its status does. Not before those are gone that somebody
 * has ordered to be unloaded: that order stands until then.
 */
function orderedByItself({ preset, standing }: DeclaredPreset, own: readonly EdgeReplica[]): Standing {
  const causes = new Set(own.map((replica) => causeOf(replica)?.kind));
  const isOrdered = preset.scaling.minReplicas > 0 || causes.has('changed');
  return isOrdered && !causes.has('ordered') ? { ...standing, ordered: true } : standing;
}

/** Also those that nobody declares any more: their replicas may have requests. */
function countedOf(presets: readonly DeclaredPreset[], running: readonly PresetUid[]): Map<PresetUid, Declared> {
  const scalings = new Map(presets.map(({ preset }) => [preset.uid, preset.scaling]));
  return new Map([...scalings.keys(), ...running].map((uid) => [uid, { uid, scaling: scalings.get(uid) }]));
}

const isBackingOff = ({ standing }: DeclaredPreset): boolean => standing.backOff !== undefined;

const waitsForRoom = ({ standing: { waitsFor } }: DeclaredPreset): boolean =>
  waitsFor !== undefined && isLackOfRoom(waitsFor.reason);

const acknowledge = ({ uid, gate }: PodView): [ReplicaId, number][] =>
  gate?.closed === true ? [[replicaId(uid), gate.epoch]] : [];
