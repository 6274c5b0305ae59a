import type { ModelName, PresetUid } from '../domain/ids.ts';
import { causeOf, holdsCapacity, isLive, type Replica } from '../domain/replica.ts';
import type { Phase, ReadyReplica, Route, RoutedPreset, RouteTable } from './route.ts';
import { refusalOf, type Standing } from './standing.ts';

/** What routing looks at of a replica. */
export type RoutedReplica = Pick<Replica, 'id' | 'pool' | 'serves' | 'state'>;

/** What a table is built from: a preset, its replicas, and how it stands with the planner. */
export interface RouteSource {
  readonly preset: RoutedPreset;
  readonly replicas: readonly RoutedReplica[];
  readonly standing: Standing;
}

/** A table over the presets as they are declared now. Names have been checked for uniqueness; the first would win. */
export const buildRouteTable = (sources: readonly RouteSource[]): RouteTable => indexRoutes(sources.map(buildRoute));

/** A table over routes that are built already. */
export function indexRoutes(routes: readonly Route[]): RouteTable {
  const byUid = new Map(routes.map((route) => [route.uid, route]));
  const byName = new Map<ModelName, Route>();
  for (const route of routes) {
    for (const name of namesOf(route.preset)) if (!byName.has(name)) byName.set(name, route);
  }
  return {
    routes,
    find: (name) => byName.get(name),
    findByUid: (uid: PresetUid) => byUid.get(uid),
  };
}

const namesOf = ({ model, aliases, variants }: RoutedPreset): ModelName[] => [
  model,
  ...aliases,
  ...variants.map(({ name }) => name),
];

function buildRoute({ preset, replicas, standing }: RouteSource): Route {
  const ready = replicas.flatMap((replica) => readyReplica(preset, replica));
  const loads = replicas.flatMap(({ state }) => (state.kind === 'ready' ? (state.loadTime ?? []) : []));
  return {
    uid: preset.uid,
    preset,
    phase: phaseOf(replicas, standing),
    replicas: ready,
    holds: [...new Set(replicas.filter(holdsCapacity).map(({ pool }) => pool))],
    refusal: refusalOf(preset, standing, replicas.some(isLive)),
    lastLoad: standing.lastLoad ?? loads[0],
  };
}

/** Only what serves the model of now may answer: a replica of another source is on its way out. */
function readyReplica(preset: RoutedPreset, replica: RoutedReplica): ReadyReplica[] {
  if (replica.state.kind !== 'ready' || replica.serves !== preset.serves) return [];
  return [{ id: replica.id, endpoint: replica.state.endpoint }];
}

/** The furthest of its replicas, else what it waits for. */
export function phaseOf(replicas: readonly Pick<Replica, 'state'>[], standing: Standing): Phase {
  const running = replicas.length === 0 ? undefined : furthest(replicas, standing);
  if (running !== undefined) return running;
  if (standing.backOff !== undefined) return { kind: 'failed', ...standing.backOff };
  if (standing.waitsFor !== undefined) return { kind: 'waiting', ...standing.waitsFor };
  return { kind: 'unloaded' };
}

/** `undefined`: none of them is or was of use. */
function furthest(replicas: readonly Pick<Replica, 'state'>[], standing: Standing): Phase | undefined {
  const kinds = new Set(replicas.map((replica) => replica.state.kind));
  if (kinds.has('ready')) return { kind: 'ready' };
  if (kinds.has('starting')) return loading(replicas, standing);
  if (kinds.has('draining')) return leaving('draining', replicas);
  return kinds.has('stopping') ? leaving('stopping', replicas) : undefined;
}

function leaving(kind: 'draining' | 'stopping', replicas: readonly Pick<Replica, 'state'>[]): Phase {
  const [cause] = replicas.flatMap((replica) => (replica.state.kind === kind ? (causeOf(replica) ?? []) : []));
  return { kind, ...(cause === undefined ? {} : { cause }) };
}

function loading(replicas: readonly Pick<Replica, 'state'>[], standing: Standing): Phase {
  const troubles = replicas.flatMap(({ state }) => (state.kind === 'starting' ? (state.trouble ?? []) : []));
  const [trouble = standing.trouble] = troubles;
  return { kind: 'loading', ...(trouble === undefined ? {} : { trouble }) };
}
