import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { Pool } from '../../domain/pool.ts';
import { type Duration, minutes, seconds } from '../../domain/units.ts';
import { checkObject } from '../check-object.ts';
import { DEFAULT_POOL, decodePoolSpec, maxPriorityOf, readDuration } from '../decode-settings.ts';
import { formatField, readMember } from '../field-path.ts';
import {
  type ManifestDefaults,
  type ModelDeploymentSpec,
  ModelDeploymentSpecSchema,
  type ModelDeploymentStatus,
  ModelDeploymentStatusSchema,
} from '../model-deployment-schema.ts';
import {
  CONTROLLER_NAME,
  type ModelPoolSpec,
  ModelPoolSpecSchema,
  type ModelPoolStatus,
  ModelPoolStatusSchema,
} from '../model-pool-schema.ts';
import { memoize, memoizeWith } from '../../domain/memoize.ts';
import type { DeploymentRef } from './verdict.ts';

/** An object as an API server has it. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What a spec says; `invalid`: it cannot be read, since a CRD of another version has let it in. Nothing is made up then. */
export type Decoded<Spec> =
  { readonly kind: 'valid'; readonly spec: Spec } | { readonly kind: 'invalid'; readonly message: string };

/** A ModelDeployment of a cluster. */
export interface ClusterDeployment {
  readonly ref: DeploymentRef;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** The name of its ModelPool. */
  readonly pool: string;
  readonly decoded: Decoded<ModelDeploymentSpec>;
  /** `undefined`: none was written yet, or it cannot be read. */
  readonly status: ModelDeploymentStatus | undefined;
}

export type AllowedNamespaces = NonNullable<ModelPoolSpec['allowedNamespaces']>;

/** What a ModelPool's spec means. */
export interface PoolSettings {
  readonly pool: Pool;
  readonly defaults: ManifestDefaults | undefined;
  readonly allowedNamespaces: AllowedNamespaces;
  readonly maxPriority: number;
  /** How long a pod may find no node before that counts as no room. */
  readonly unschedulableAfter: Duration;
  /** Bounds forced unloads, and deletions that Corral did not order. */
  readonly drainTimeout: Duration;
}

/** A ModelPool of a cluster. */
export interface ClusterPool {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** Whether it belongs to Corral's operator and not to one of another name. */
  readonly isOurs: boolean;
  readonly decoded: Decoded<PoolSettings>;
  readonly status: ModelPoolStatus | undefined;
}

/** The same as the defaults in the schema, for objects that were written before it had them. */
export const DEFAULT_UNSCHEDULABLE_AFTER = seconds(5);
const DEFAULT_DRAIN_TIMEOUT = minutes(30);
/** Of everything that is wrong with an object, as many things are told. */
const MAX_FAULTS = 3;

/** What is wrong with a part of an object; `undefined`: nothing. */
function findFaults(value: unknown, schema: TSchema, field: string): string | undefined {
  const faults = checkObject(value, schema);
  if (faults.length === 0) return undefined;
  const told = faults.slice(0, MAX_FAULTS).map(({ path, reason, fix }) => {
    return `${formatField([field, ...path])}: ${reason}${fix === undefined ? '' : `. ${fix}`}`;
  });
  const more = faults.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function textOf(value: unknown, missing: string): string {
  return typeof value === 'string' ? value : missing;
}

/** Without what it says beyond the schema: while Corral is replaced by a later version, that one may say more. */
function readStatus<Schema extends TSchema>(schema: Schema, status: unknown): Static<Schema> | undefined {
  if (Value.Check(schema, status)) return status;
  const known = Value.Clean(schema, structuredClone(status));
  return Value.Check(schema, known) ? known : undefined;
}

function decodeDeploymentSpec(value: unknown): Decoded<ModelDeploymentSpec> {
  const message = findFaults(value, ModelDeploymentSpecSchema, 'spec');
  if (message !== undefined) return { kind: 'invalid', message };
  if (Value.Check(ModelDeploymentSpecSchema, value)) return { kind: 'valid', spec: value };
  throw new Error('the check of a ModelDeployment missed a fault');
}

const decodeOnce = memoize<object, Decoded<ModelDeploymentSpec>>(decodeDeploymentSpec);

/** Reads a ModelDeployment (modeldeployments.corral.dev). What is decoded of one spec is the same value each time. */
export function decodeDeployment(object: ClusterObject): ClusterDeployment {
  const { name, namespace, uid, creationTimestamp, generation, deletionTimestamp } = object.metadata;
  const { spec, status } = object;
  return {
    ref: { namespace: textOf(namespace, ''), name, uid },
    createdAt: creationTimestamp,
    generation: generation === undefined ? 0 : generation,
    isDeleting: deletionTimestamp !== undefined,
    pool: textOf(readMember(spec, 'pool'), DEFAULT_POOL),
    decoded: isObject(spec) ? decodeOnce(spec) : decodeDeploymentSpec(spec),
    status: readStatus(ModelDeploymentStatusSchema, status),
  };
}

const durationOr = (text: string | undefined, otherwise: Duration): Duration =>
  text === undefined ? otherwise : readDuration(text);

function readPoolSpec(name: string, spec: ModelPoolSpec): PoolSettings {
  return {
    pool: decodePoolSpec(name, spec),
    defaults: spec.defaults,
    allowedNamespaces: spec.allowedNamespaces ?? { from: 'All' },
    maxPriority: maxPriorityOf(spec),
    unschedulableAfter: durationOr(spec.capacity?.unschedulableAfter, DEFAULT_UNSCHEDULABLE_AFTER),
    drainTimeout: durationOr(spec.drainTimeout, DEFAULT_DRAIN_TIMEOUT),
  };
}

function decodePoolSettings(name: string, value: unknown): Decoded<PoolSettings> {
  const message = findFaults(value, ModelPoolSpecSchema, 'spec');
  if (message !== undefined) return { kind: 'invalid', message };
  if (Value.Check(ModelPoolSpecSchema, value)) return { kind: 'valid', spec: readPoolSpec(name, value) };
  throw new Error('the check of a ModelPool missed a fault');
}

/** The settings know the pool's name, so each pool has its own, also where two are made from one spec. */
const decodeSettingsOnce = memoizeWith((spec: object, name: string) => decodePoolSettings(name, spec));

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Reads a ModelPool (modelpools.corral.dev). One without a spec has every default. Decodes one spec once, as above. */
export function decodePool(object: ClusterObject): ClusterPool {
  const { name, uid, generation, deletionTimestamp } = object.metadata;
  const { spec = {}, status } = object;
  return {
    name,
    uid,
    generation: generation === undefined ? 0 : generation,
    isDeleting: deletionTimestamp !== undefined,
    isOurs: textOf(readMember(spec, 'controllerName'), CONTROLLER_NAME) === CONTROLLER_NAME,
    decoded: isObject(spec) ? decodeSettingsOnce(spec, name) : decodePoolSettings(name, spec),
    status: readStatus(ModelPoolStatusSchema, status),
  };
}
