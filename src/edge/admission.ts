import type { ReplicaId } from '../domain/ids.ts';
import type { ReadyReplica, Refusal, Route } from '../routing/route.ts';

/** What becomes of a request. Decided again at every publication while it is held. */
export type Admission =
  | { readonly kind: 'dispatch'; readonly replica: ReadyReplica }
  | { readonly kind: 'hold'; readonly route: Route }
  | { readonly kind: 'refuse'; readonly route: Route; readonly refusal: Refusal }
  | { readonly kind: 'gone' };

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
 * | there   | yes                | any     | dispatch, to the replica with the fewest in flight; of equals, to that used longest ago |
 * | there   | no                 | yes     | refuse   |
 * | there   | no                 | no      | hold     |
 *
 * `avoid` count as not ready: the request has just found nobody listening there, and the table may not know yet.
 */
export function admit(route: Route | undefined, loads: Loads, avoid: ReadonlySet<ReplicaId> | undefined): Admission {
  if (route === undefined) return { kind: 'gone' };
  const replica = leastBusy(
    route.replicas.filter(({ id }) => avoid?.has(id) !== true),
    loads,
  );
  if (replica !== undefined) return { kind: 'dispatch', replica };
  if (route.refusal !== undefined) return { kind: 'refuse', route, refusal: route.refusal };
  return { kind: 'hold', route };
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
