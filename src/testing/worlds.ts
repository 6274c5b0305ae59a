import { NO_RESOURCES } from '../domain/resources.ts';
import type { Activity } from '../domain/activity.ts';
import { modelName, poolName, presetUid, replicaId, type PresetUid, type ReplicaId } from '../domain/ids.ts';
import { WHOLE_POOL, type Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Failure, Replica, ReplicaState } from '../domain/replica.ts';
import { instant, milliseconds, minutes, seconds } from '../domain/units.ts';
import type { PlanInput } from '../planner/plan-input.ts';

/** A pool named `default` with room for one, unless told otherwise. */
export const aPool = (overrides: Partial<Pool> = {}): Pool => ({
  name: poolName('default'),
  maxLoaded: 1,
  bins: [{ name: WHOLE_POOL, size: undefined }],
  eviction: 'LRUByIdle',
  paused: false,
  minResidency: milliseconds(0),
  fairAfter: seconds(30),
  ...overrides,
});

/** A preset whose uid is `<model>-uid`, in pool `default`, loaded on demand and never idled out, unless told otherwise. */
export const aPreset = (model: string, overrides: Partial<Preset> = {}): Preset => ({
  uid: presetUid(`${model}-uid`),
  model: modelName(model),
  aliases: [],
  variants: [],
  tags: [],
  pool: poolName('default'),
  footprint: NO_RESOURCES,
  priority: 0,
  launch: { args: ['--model', `${model}.gguf`], env: new Map(), stopTimeout: seconds(5) },
  rendered: `${model}-1`,
  serves: `${model}-model`,
  scaling: {
    minReplicas: 0,
    maxReplicas: 1,
    targetInFlight: 1,
    idleTimeout: milliseconds(0),
    loadTimeout: minutes(10),
    autoload: true,
    loadOnStartup: false,
  },
  queue: { maxWaiting: 256, maxWait: minutes(10) },
  origin: { kind: 'preset', file: 'presets.ini' },
  ...overrides,
});

/** `preset` with some of its scaling replaced. */
export const scaled = (preset: Preset, scaling: Partial<Preset['scaling']>): Preset => ({
  ...preset,
  scaling: { ...preset.scaling, ...scaling },
});

/** A replica of a preset as it is declared, named `<model>#1`, unless told otherwise. */
export const aReplica = (preset: Preset, state: ReplicaState, overrides: Partial<Replica> = {}): Replica => ({
  id: replicaId(`${preset.model}#1`),
  preset: preset.uid,
  pool: preset.pool,
  bin: WHOLE_POOL,
  footprint: preset.footprint,
  rendered: preset.rendered,
  serves: preset.serves,
  state,
  ...overrides,
});

/** Ready since `at` after a load of 0 ms. */
export const readySince = (at: number, loadTime = 0): ReplicaState => ({
  kind: 'ready',
  since: instant(at),
  loadTime: milliseconds(loadTime),
  endpoint: { origin: 'http://127.0.0.1:1', prefix: '/x' },
});

export const startingSince = (at: number): ReplicaState => ({ kind: 'starting', since: instant(at) });
/** For idleness, unless told otherwise. */
export const drainingSince = (at: number, cause: DrainCause = { kind: 'idle' }): ReplicaState => ({
  kind: 'draining',
  since: instant(at),
  cause,
});
export const stoppingSince = (at: number): ReplicaState => ({
  kind: 'stopping',
  since: instant(at),
  cause: { kind: 'idle' },
});

/** Of a replica that was never ready, seen at 0. */
export const A_FAILURE: Failure = {
  code: 'Crashed',
  reason: 'x',
  exitCode: 1,
  logTail: [],
  at: instant(0),
  startedAt: undefined,
  readyFor: undefined,
};

/** What a world is made of: presets, their replicas, and requests by preset. */
export interface World {
  readonly now: number;
  readonly pools?: readonly Pool[];
  readonly presets: readonly Preset[];
  readonly replicas?: readonly Replica[];
  /** Requests in flight; a preset that is not named is idle since 0. */
  readonly busy?: ReadonlyMap<PresetUid, number>;
  readonly idleSince?: ReadonlyMap<PresetUid, number>;
  readonly waitingSince?: ReadonlyMap<PresetUid, number>;
  readonly unknown?: ReadonlySet<PresetUid>;
  /** At single replicas, where it is not what their preset has. */
  readonly inFlight?: PlanInput['inFlight'];
  readonly lastUses?: PlanInput['lastUses'];
  readonly orders?: PlanInput['orders'];
  readonly backOffs?: PlanInput['backOffs'];
  readonly peaks?: PlanInput['peaks'];
  readonly learnedLimits?: PlanInput['learnedLimits'];
  readonly reservations?: PlanInput['reservations'];
}

const NONE: ReadonlyMap<PresetUid, number> = new Map();

/** The planner's view of a world. */
export function planInput(world: World): PlanInput {
  const { presets, replicas = [], pools = [aPool()], waitingSince = NONE } = world;
  const { orders = new Map(), backOffs = new Map(), peaks = new Map(), lastUses = new Map() } = world;
  const { learnedLimits = [], reservations = new Map(), now } = world;
  return {
    pools,
    presets,
    replicas,
    activity: activityIn(world),
    demand: new Map([...waitingSince].map(([uid, at]) => [uid, { waiting: 1, since: instant(at) }])),
    inFlight: inFlightIn(world),
    lastUses,
    orders,
    backOffs,
    peaks,
    learnedLimits,
    reservations,
    now: instant(now),
  };
}

const isKnown = (uid: PresetUid, { unknown }: World): boolean => unknown?.has(uid) !== true;

function activityIn(world: World): PlanInput['activity'] {
  const { presets, busy = NONE, idleSince = NONE } = world;
  const known = presets.filter(({ uid }) => isKnown(uid, world));
  return new Map(
    known.map(({ uid }): [PresetUid, Activity] => {
      const inFlight = busy.get(uid);
      const idle = idleSince.get(uid);
      if (inFlight !== undefined) return [uid, { kind: 'busy', inFlight }];
      return [uid, { kind: 'idle', since: instant(idle === undefined ? 0 : idle) }];
    }),
  );
}

function inFlightIn(world: World): PlanInput['inFlight'] {
  const { replicas = [], busy = NONE, inFlight = new Map<ReplicaId, number>() } = world;
  const known = replicas.filter(({ preset }) => isKnown(preset, world));
  const ofPresets = known.map(({ id, preset }) => {
    const count = busy.get(preset);
    return [id, count === undefined ? 0 : count] as const;
  });
  return new Map([...ofPresets, ...inFlight]);
}
