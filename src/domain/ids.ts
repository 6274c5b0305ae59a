import type { Brand } from './brand.ts';

/** One life of one preset: a preset that is removed and declared again under its name has another uid. */
export type PresetUid = Brand<string, 'PresetUid'>;
/** A name that clients may send in `model`: a preset's model or one of its aliases. Compared byte for byte. */
export type ModelName = Brand<string, 'ModelName'>;
/** A ModelPool's name. */
export type PoolName = Brand<string, 'PoolName'>;
/** A part of a pool in which a replica lies as a whole: a node, a GPU, or all of the pool. Unique in its pool. */
export type BinName = Brand<string, 'BinName'>;
/** One llama-server, from its start to its end. Never used twice. */
export type ReplicaId = Brand<string, 'ReplicaId'>;

export const presetUid = (text: string): PresetUid => text as PresetUid;
export const modelName = (text: string): ModelName => text as ModelName;
export const poolName = (text: string): PoolName => text as PoolName;
export const binName = (text: string): BinName => text as BinName;
export const replicaId = (text: string): ReplicaId => text as ReplicaId;
