import type { ReplicaId } from '../domain/ids.ts';
import type { ReadyReplica, Refusal, Route } from '../routing/route.ts';
import { MAX_CONNECTIONS } from './upstream.ts';

/** What becomes of a request. Decided again at every publication while it is held. */
export type Admission =
  | { readonly kind: 'dispatch'; readonly replica: ReadyReplica }
  | HoldAdmission
  | { readonly kind: 'refuse'; readonly route: Route; readonly refusal: Refusal }
  | { readonly kind: 'gone' };

export interface HoldAdmission {
  readonly kind: 'hold';
  readonly route: Route;
  /** Replicas are ready, and each has as many requests as it is sent at a time. */
  readonly isForOthersToEnd: boolean;
}

/** What each replica has to do, as this edge knows it. */
export interface Loads {
  readonly inFlight: (replica: ReplicaId) => number;
  /** The number of the dispatch that was the last to go there; 0: none has. */
  readonly lastDispatch: (replica: ReplicaId) => number;
}

/**
 * | route   | a replica is ready | refusal | request  |
 * |---------|--------------------|---------|----------|
 * | missing |                    |         | gone     |
 * | there   | yes, with room     | any     | dispatch, to the replica with the fewest in flight; of equals, to that used longest ago |
 * | there   | yes, without room  | any     | hold     |
 * | there   | no                 | yes     | refuse   |
 * | there   | no                 | no      | hold     |
 *
 * `avoid` count as not ready: the request has just found nobody listening there, and the table may not know yet. A replica
 * has room for as many requests as there are connections to it.
 */
export function admit(route: Route | undefined, loads: Loads, avoid: ReadonlySet<ReplicaId> | undefined): Admission {
  if (route === undefined) return { kind: 'gone' };
  const replica = leastBusy(
    route.replicas.filter(({ id }) => avoid?.has(id) !== true),
    loads,
  );
  if (replica !== undefined) {
    const isFull = loads.inFlight(replica.id) >= MAX_CONNECTIONS;
    return isFull ? { kind: 'hold', route, isForOthersToEnd: true } : { kind: 'dispatch', replica };
  }
  if (route.refusal !== undefined) return { kind: 'refuse', route, refusal: route.refusal };
  return { kind: 'hold', route, isForOthersToEnd: false };
}

function leastBusy(replicas: readonly ReadyReplica[], { inFlight, lastDispatch }: Loads): ReadyReplica | undefined {
  let best: ReadyReplica | undefined;
  for (const replica of replicas) {
    const fewer = best === undefined ? -1 : inFlight(replica.id) - inFlight(best.id);
    const isBetter =
      fewer < 0 || (fewer === 0 && best !== undefined && lastDispatch(replica.id) < lastDispatch(best.id));
    if (isBetter) best = replica;
  }
  return best;
}
