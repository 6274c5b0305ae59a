import { modelName, type ModelName } from '../../domain/ids.ts';
import { after, type Instant, milliseconds, minutes } from '../../domain/units.ts';
import type { LoadFailure } from '../../routing/route.ts';
import type { Standing } from '../../routing/standing.ts';
import type { PresetStatus } from '../model-deployment-schema.ts';
import { type DeclaredPreset, type DeclaredSettings, listDeclared, settle } from './declared-preset.ts';
import {
  type ClusterDeployment,
  type ClusterObject,
  type ClusterPool,
  decodeDeployment,
  decodePool,
} from './decode-objects.ts';
import { memoize } from './memoize.ts';
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
function backOffOf({ phase, message = '', failures = 1, backOff }: PresetStatus, at: Moment): LoadFailure | undefined {
  if (phase !== 'Failed' || backOff?.nextRetryTime === undefined) return undefined;
  const rest = Date.parse(backOff.nextRetryTime) - at.wall;
  if (rest <= 0) return undefined;
  const [reason = '', ...logTail] = message.split('\n');
  const retryAt = after(at.now, milliseconds(Math.min(rest, LONGEST_BACK_OFF)));
  return { reason, logTail, exitCode: undefined, failures, retryAt };
}

/**
 * How a preset stands, as its status tells. What speaks of another generation of the spec refuses nobody: the operator will
 * say in a moment what holds of this one.
 */
function standingOf(
  { status, generation }: ClusterDeployment,
  own: PresetStatus,
  pool: ClusterPool | undefined,
  at: Moment,
): Standing {
  const isCurrent = status?.observedGeneration === generation;
  const { phase, reason, message = '' } = own;
  return {
    notAccepted: isCurrent ? notAccepted(own, pool) : undefined,
    pool: poolStanding(pool),
    backOff: isCurrent ? backOffOf(own, at) : undefined,
    waitsFor: phase === 'Waiting' && reason !== undefined ? { reason, because: message } : undefined,
    // Of a preset that requests do not load, this is what an order has come to.
    ordered: phase === 'Waiting' || phase === 'Loading',
    lastLoad: undefined,
  };
}

function routesOf(deployment: ClusterDeployment, pool: ClusterPool | undefined, at: Moment): ClusterRoute[] {
  const defaults = pool?.decoded.kind === 'valid' ? pool.decoded.spec.defaults : undefined;
  const statuses = new Map((deployment.status?.presets ?? []).map((status) => [status.name, status]));
  return listDeclared(deployment, defaults).flatMap((declared) => {
    const status = statuses.get(declared.preset.name);
    const preset = settle(declared, grantedBy(declared, status));
    if (status === undefined || preset === undefined) return [];
    return [{ preset, standing: standingOf(deployment, status, pool, at) }];
  });
}

/**
 * What an edge routes: names that a living ModelDeployment declares in its spec and was granted in its status. Everything
 * else is read from there too, so that an edge needs no word from the operator.
 */
export function routedPresets(
  deployments: readonly ClusterDeployment[],
  pools: readonly ClusterPool[],
  at: Moment,
): ClusterRoute[] {
  const living = livingPools(pools);
  return deployments
    .filter((deployment) => isInScope(deployment, living))
    .flatMap((deployment) => routesOf(deployment, living.get(deployment.pool), at));
}

/** `routedPresets` of objects as the API server has them. Each is decoded once, as long as it is the same object. */
export function createPresetReader(
  clock: () => Moment,
): (deployments: readonly ClusterObject[], pools: readonly ClusterObject[]) => ClusterRoute[] {
  const [readDeployment, readPool] = [memoize(decodeDeployment), memoize(decodePool)];
  return (deployments, pools) => routedPresets(deployments.map(readDeployment), pools.map(readPool), clock());
}
