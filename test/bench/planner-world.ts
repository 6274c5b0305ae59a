import type { Activity, Demand } from '../../src/domain/activity.ts';
import { binName, poolName, replicaId, type PresetUid, type ReplicaId } from '../../src/domain/ids.ts';
import type { Pool } from '../../src/domain/pool.ts';
import type { Preset } from '../../src/domain/preset.ts';
import type { Replica } from '../../src/domain/replica.ts';
import { instant, minutes, seconds } from '../../src/domain/units.ts';
import type { PlanInput } from '../../src/planner/plan-input.ts';
import {
  aPool,
  aPreset,
  aReplica,
  drainingSince,
  readySince,
  scaled,
  startingSince,
} from '../../src/testing/worlds.ts';

/** How large a world is. Presets and replicas are spread evenly over the pools. */
export interface WorldSize {
  readonly presets: number;
  readonly replicas: number;
  readonly pools: number;
}

const NOW = 10_000_000;
const BINS_OF_POOL = 4;
/** One preset in so many that have no replica is waited for. */
const WAITING = 5;
const GIB = 1024 ** 3 * 1000;

/**
 * A cluster on a busy day: every pool is full, half of what is loaded is in use, and one in five of the others is waited for,
 * half of those for so long that fairness is due. The same for the same size.
 */
export function busyWorld(size: WorldSize): PlanInput {
  const presets = Array.from({ length: size.presets }, (_, index) => presetAt(index, size.pools));
  const loaded = presets.slice(0, size.replicas);
  const waiting = presets.slice(size.replicas).filter((_, index) => index % WAITING === 0);
  const replicas = loaded.map((preset, index) => replicaAt(preset, index, size));
  return {
    pools: Array.from({ length: size.pools }, (_, index) => poolAt(index, size)),
    presets,
    replicas,
    activity: new Map(presets.map((preset, index): [PresetUid, Activity] => [preset.uid, activityAt(index)])),
    demand: new Map(waiting.map((preset, index): [PresetUid, Demand] => [preset.uid, demandAt(index)])),
    inFlight: new Map(replicas.map(({ id }, index): [ReplicaId, number] => [id, isBusy(index) ? 1 : 0])),
    orders: new Map(),
    backOffs: new Map(),
    peaks: new Map(),
    lastUses: new Map(),
    learnedLimits: [],
    reservations: new Map(),
    now: instant(NOW),
  };
}

const isBusy = (index: number): boolean => index % 2 === 0;
const nameOfPool = (index: number): string => `pool-${index}`;

function poolAt(index: number, { replicas, pools }: WorldSize): Pool {
  const perBin = Math.ceil(replicas / pools / BINS_OF_POOL);
  return aPool({
    name: poolName(nameOfPool(index)),
    maxLoaded: 0,
    bins: Array.from({ length: BINS_OF_POOL }, (_, bin) => ({
      name: binName(`node-${bin}`),
      size: new Map([['vram', perBin * 8 * GIB]]),
    })),
    minResidency: seconds(10),
    fairAfter: seconds(30),
  });
}

function presetAt(index: number, pools: number): Preset {
  const preset = aPreset(`model-${index}`, {
    pool: poolName(nameOfPool(index % pools)),
    footprint: new Map([['vram', 8 * GIB]]),
    priority: index % 3,
  });
  return scaled(preset, { idleTimeout: minutes(15) });
}

function replicaAt(preset: Preset, index: number, { pools }: WorldSize): Replica {
  const state =
    index % 25 === 24
      ? drainingSince(NOW - 5)
      : index % 25 === 23
        ? startingSince(NOW - 5)
        : readySince(NOW - 60_000 - index);
  const bin = binName(`node-${Math.floor(index / pools) % BINS_OF_POOL}`);
  return { ...aReplica(preset, state), id: replicaId(`replica-${index}`), bin };
}

const activityAt = (index: number): Activity =>
  isBusy(index) ? { kind: 'busy', inFlight: 1 } : { kind: 'idle', since: instant(NOW - 30_000 - (index % 97) * 100) };

const demandAt = (index: number): Demand => ({
  waiting: 1,
  since: instant(NOW - (isBusy(index) ? 40_000 : 5_000) - index),
});
