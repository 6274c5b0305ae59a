import { modelName, type ModelName, type PresetUid } from '../../domain/ids.ts';
import type { LeaveReason } from '../../domain/leaving.ts';
import { isFailureCode, isTroubleCode } from '../../domain/replica.ts';
import { after, type Instant, milliseconds, minutes, seconds } from '../../domain/units.ts';
import { isWaitReason } from '../../domain/wait-reason.ts';
import type { LoadFailure } from '../../routing/route.ts';
import type { Standing } from '../../routing/standing.ts';
import type { ManifestDefaults, PresetStatus } from '../model-deployment-schema.ts';
import { type DeclaredPreset, type DeclaredSettings, listDeclared, settle } from './declared-preset.ts';
import {
  type ClusterDeployment,
  type ClusterObject,
  type ClusterPool,
  decodeDeployment,
  decodePool,
} from './decode-objects.ts';
import { memoize, memoizeWith } from '../../domain/memoize.ts';
import { clusterPresetUid } from './pod-settings.ts';
import { isInScope, livingPools } from './scope.ts';
import { isRefusalReason } from './verdict.ts';

/** A preset that requests can reach, for the route table of an edge. */
export interface ClusterRoute {
  readonly preset: DeclaredSettings;
  readonly standing: Standing;
}

/** One moment on two clocks. */
export interface Moment {
  readonly now: Instant;
  /** Milliseconds since 1970: the clock that time stamps of objects are compared with. */
  readonly wall: number;
}

/** A look at what there is. */
export interface Reading {
  readonly now: Instant;
  /** When an object was read first, as it is. A time stamp in it is compared with that moment, and with no later one: clocks may be wrong. */
  readonly seenAt: (deployment: ClusterDeployment) => Moment;
}

/** The longest back-off there is. A time stamp that lies further ahead comes from another clock. */
const LONGEST_BACK_OFF = minutes(5);

/** Of its names, those that its own status grants. */
function grantedBy({ deployment, names }: DeclaredPreset, status: PresetStatus | undefined): readonly ModelName[] {
  if (status?.uid !== deployment.ref.uid) return [];
  const granted = new Set((status.names ?? []).map(modelName));
  return names.filter((name) => granted.has(name));
}

function poolStanding(pool: ClusterPool | undefined): Standing['pool'] {
  if (pool === undefined) return 'missing';
  return pool.decoded.kind === 'valid' && pool.decoded.spec.pool.paused ? 'paused' : 'open';
}

/** Why the operator does not run it. A missing pool that is there by now is no reason any more. */
function notAccepted({ reason, message = '' }: PresetStatus, pool: ClusterPool | undefined): Standing['notAccepted'] {
  if (reason === undefined || !isRefusalReason(reason)) return undefined;
  // Other names of it are its own, or it would not be asked about.
  if (reason === 'NameConflict') return undefined;
  const isOutdated = reason === 'PoolNotFound' && pool?.decoded.kind === 'valid';
  return isOutdated ? undefined : { reason, message };
}

/** Its last failure, while it is not tried again: what `render-preset-status` has written. */
function backOffOf(
  { phase, reason: code, message = '', failures = 1, backOff }: PresetStatus,
  seen: Moment,
  now: Instant,
): LoadFailure | undefined {
  if (phase !== 'Failed' || backOff?.nextRetryTime === undefined) return undefined;
  const rest = Date.parse(backOff.nextRetryTime) - seen.wall;
  const retryAt = after(seen.now, milliseconds(Math.min(rest, LONGEST_BACK_OFF)));
  if (retryAt <= now) return undefined;
  const [reason = '', ...logTail] = message.split('\n');
  const kind = code !== undefined && isFailureCode(code) ? { code } : {};
  return { ...kind, reason, logTail, exitCode: undefined, failures, retryAt };
}

/** A word that only a later version knows is passed over. */
function waitsForOf(
  { phase, reason, message = '', name }: PresetStatus,
  { ref }: ClusterDeployment,
  pool: ClusterPool | undefined,
): Standing['waitsFor'] {
  if (phase !== 'Waiting' || reason === undefined || !isWaitReason(reason)) return undefined;
  const place = placeOf(clusterPresetUid(ref.uid, name), pool);
  return { reason, because: message, ...(place === undefined ? {} : { position: place }) };
}

/** Its place in the queue of its pool, the next one 1. */
function placeOf(uid: PresetUid, pool: ClusterPool | undefined): number | undefined {
  const index = (pool?.status?.queue ?? []).indexOf(uid);
  return index === -1 ? undefined : index + 1;
}

/** A preset that loads may have another reason: that a name of it is another's. */
const troubleOf = ({ phase, reason, message = '' }: PresetStatus): Standing['trouble'] =>
  phase === 'Loading' && reason !== undefined && isTroubleCode(reason) ? { code: reason, words: message } : undefined;

const REPLACED: LeaveReason = 'Changed';

/**
 * Of a preset that requests do not load, this is what an order has come to. One that leaves only to be replaced has ordered its own
 * load (`settleOrders`): between the end of its pod and the next one nothing else tells of that.
 */
const isOrdered = ({ phase, reason }: PresetStatus): boolean =>
  phase === 'Waiting' || phase === 'Loading' || ((phase === 'Draining' || phase === 'Stopping') && reason === REPLACED);

/**
 * How a preset stands, as its status tells. What speaks of another generation of the spec refuses nobody: the operator will
 * say in a moment what holds of this one.
 */
function standingOf(
  deployment: ClusterDeployment,
  own: PresetStatus,
  pool: ClusterPool | undefined,
  { seenAt, now }: Reading,
): Standing {
  const { status, generation } = deployment;
  const isCurrent = status?.observedGeneration === generation;
  const trouble = troubleOf(own);
  return {
    notAccepted: isCurrent ? notAccepted(own, pool) : undefined,
    pool: poolStanding(pool),
    backOff: isCurrent ? backOffOf(own, seenAt(deployment), now) : undefined,
    waitsFor: waitsForOf(own, deployment, pool),
    ...(trouble === undefined ? {} : { trouble }),
    ordered: isOrdered(own),
    lastLoad: own.loadSeconds === undefined ? undefined : seconds(own.loadSeconds),
  };
}

/** What its objects say of a preset, whenever they are looked at. */
interface Settled {
  readonly preset: DeclaredSettings;
  readonly status: PresetStatus;
}

/** Once for each state of a ModelDeployment: an edge looks at all of them again whenever any object has changed. */
const settledOf = memoizeWith(
  (deployment: ClusterDeployment, poolDefaults: ManifestDefaults | undefined): readonly Settled[] => {
    const statuses = new Map((deployment.status?.presets ?? []).map((status) => [status.name, status]));
    return listDeclared(deployment, poolDefaults).flatMap((declared) => {
      const status = statuses.get(declared.preset.name);
      const preset = settle(declared, grantedBy(declared, status));
      return status === undefined || preset === undefined ? [] : [{ preset, status }];
    });
  },
);

function routesOf(deployment: ClusterDeployment, pool: ClusterPool | undefined, reading: Reading): ClusterRoute[] {
  const defaults = pool?.decoded.kind === 'valid' ? pool.decoded.spec.defaults : undefined;
  return settledOf(deployment, defaults).map(({ preset, status }) => ({
    preset,
    standing: standingOf(deployment, status, pool, reading),
  }));
}

/**
 * What an edge routes: names that a living ModelDeployment declares in its spec and was granted in its status. Everything
 * else is read from there too, so that an edge needs no word from the operator.
 */
export function routedPresets(
  deployments: readonly ClusterDeployment[],
  pools: readonly ClusterPool[],
  reading: Reading,
): ClusterRoute[] {
  const living = livingPools(pools);
  return deployments
    .filter((deployment) => isInScope(deployment, living))
    .flatMap((deployment) => routesOf(deployment, living.get(deployment.pool), reading));
}

/** `routedPresets` of objects as the API server has them. Each is decoded once, as long as it is the same object. */
export function createPresetReader(
  clock: () => Moment,
): (deployments: readonly ClusterObject[], pools: readonly ClusterObject[]) => ClusterRoute[] {
  const [readDeployment, readPool] = [memoize(decodeDeployment), memoize(decodePool)];
  const seenAt = memoize(clock);
  return (deployments, pools) =>
    routedPresets(deployments.map(readDeployment), pools.map(readPool), { now: clock().now, seenAt });
}
