import Type from 'typebox';
import { Value } from 'typebox/value';
import type { JsonObject } from '../domain/json.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { standingTime, type LeaseRecord } from './election.ts';

const WithSpec = Type.Object({
  spec: Type.Object({
    holderIdentity: Type.Optional(Type.String()),
    leaseDurationSeconds: Type.Optional(Type.Number()),
    leaseTransitions: Type.Optional(Type.Number()),
    acquireTime: Type.Optional(Type.String()),
  }),
});

type LeaseSpec = Type.Static<typeof WithSpec>['spec'];

const specOf = (object: KubeObject): LeaseSpec => (Value.Check(WithSpec, object) ? object.spec : {});

/**
 * Another one when the lease says something else, as for client-go (k8s.io/client-go/tools/leaderelection): each renewal says another
 * time. Not when something else is written to it, such as an annotation, which is no sign of its holder.
 */
export const leaseVersion = (object: KubeObject): string => `${object.metadata.uid}/${JSON.stringify(object['spec'])}`;

export function readLease(object: KubeObject): LeaseRecord {
  const { holderIdentity, leaseDurationSeconds } = specOf(object);
  return {
    version: leaseVersion(object),
    holder: holderIdentity ?? '',
    standsFor: standingTime(holderIdentity, leaseDurationSeconds),
  };
}

/** What is to be written into a lease. */
export interface LeaseClaim {
  /** Empty: nobody. */
  readonly holder: string;
  /** `undefined`: it may be taken at once. */
  readonly standsForSeconds: number | undefined;
  /** Milliseconds since 1970: for people, and no clock is compared with it. */
  readonly wall: number;
  /** How many claims this process has written before. */
  readonly count: number;
}

/** The spec of a lease that becomes another one's or stays with its holder; `before`: `undefined` for a new one. */
export function leaseSpec({ holder, standsForSeconds, wall, count }: LeaseClaim, before?: KubeObject): JsonObject {
  const was = before === undefined ? undefined : specOf(before);
  const renewTime = microTime(wall, count);
  const { holderIdentity: holderBefore = '', leaseTransitions = 0, acquireTime = renewTime } = was ?? {};
  const stays = was !== undefined && (holder === holderBefore || holder === '');
  return {
    holderIdentity: holder,
    ...(standsForSeconds === undefined ? {} : { leaseDurationSeconds: standsForSeconds }),
    acquireTime: stays ? acquireTime : renewTime,
    renewTime,
    leaseTransitions: stays || was === undefined ? leaseTransitions : leaseTransitions + 1,
  };
}

/**
 * Kubernetes' MicroTime. The last three digits count, so that no two claims are the same even when the wall clock stands
 * still or goes back: a lease that says the same as before shows no sign of life.
 */
const microTime = (wall: number, count: number): string =>
  new Date(wall).toISOString().replace('Z', `${String(count % 1000).padStart(3, '0')}Z`);
