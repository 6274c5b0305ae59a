import { footprintOf } from '../domain/is-current.ts';
import type { PoolName, PresetUid } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import { isLive, type Replica } from '../domain/replica.ts';
import type { Resources } from '../domain/resources.ts';
import type { PlanInput } from './plan-input.ts';

/** One look at the world, with what is found by name and by kind. */
export interface Look {
  readonly input: PlanInput;
  readonly presets: ReadonlyMap<PresetUid, Preset>;
  readonly pools: ReadonlyMap<PoolName, Pool>;
  /** By their ids, so that nothing depends on the order of the input. */
  readonly replicas: readonly Replica[];
  readonly byPreset: ReadonlyMap<PresetUid, readonly Replica[]>;
  readonly byPool: ReadonlyMap<PoolName, readonly Replica[]>;
}

const byId = (a: Replica, b: Replica): number => (a.id < b.id ? -1 : 1);

/** Takes a look. */
export function lookAt(input: PlanInput): Look {
  const replicas = input.replicas.toSorted(byId);
  return {
    input,
    presets: presetsByUid(input.presets),
    pools: new Map(input.pools.map((pool) => [pool.name, pool])),
    replicas,
    byPreset: Map.groupBy(replicas, ({ preset }) => preset),
    byPool: Map.groupBy(replicas, ({ pool }) => pool),
  };
}

/** All that belongs to a key; nothing if none does. */
export function allOf<Key, Value>(groups: ReadonlyMap<Key, readonly Value[]>, key: Key): readonly Value[] {
  const found = groups.get(key);
  return found === undefined ? [] : found;
}

/** All replicas of a preset. */
export const replicasOf = (look: Look, uid: PresetUid): readonly Replica[] => allOf(look.byPreset, uid);

/** It answers, or will, as its preset's model of now. */
export const isServing = (replica: Replica, { serves }: Preset): boolean =>
  isLive(replica) && replica.serves === serves;

/** What a replica takes. */
export const takenBy = (replica: Replica, { presets }: Look): Resources =>
  footprintOf(replica, presets.get(replica.preset));
