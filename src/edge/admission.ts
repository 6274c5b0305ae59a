import type { ReplicaId } from '../domain/ids.ts';
import type { ReadyReplica, Refusal, Route } from '../routing/route.ts';

/** What becomes of a request. Decided again at every publication while it is held. */
export type Admission =
  | { readonly kind: 'dispatch'; readonly replica: ReadyReplica }
  | { readonly kind: 'hold'; readonly route: Route }
  | { readonly kind: 'refuse'; readonly route: Route; readonly refusal: Refusal }
  | { readonly kind: 'gone' };

/**
 * | route   | a replica is ready | refusal | request  |
 * |---------|--------------------|---------|----------|
 * | missing |                    |         | gone     |
 * | there   | yes                | any     | dispatch, to the replica with the fewest in flight |
 * | there   | no                 | yes     | refuse   |
 * | there   | no                 | no      | hold     |
 *
 * `avoid` counts as not ready: the request has just found nobody listening there, and the table may not know yet.
 */
export function admit(
  route: Route | undefined,
  inFlight: (replica: ReplicaId) => number,
  avoid: ReplicaId | undefined,
): Admission {
  if (route === undefined) return { kind: 'gone' };
  const replica = fewestInFlight(
    route.replicas.filter(({ id }) => id !== avoid),
    inFlight,
  );
  if (replica !== undefined) return { kind: 'dispatch', replica };
  if (route.refusal !== undefined) return { kind: 'refuse', route, refusal: route.refusal };
  return { kind: 'hold', route };
}

function fewestInFlight(
  replicas: readonly ReadyReplica[],
  inFlight: (replica: ReplicaId) => number,
): ReadyReplica | undefined {
  let best: { readonly replica: ReadyReplica; readonly requests: number } | undefined;
  for (const replica of replicas) {
    const requests = inFlight(replica.id);
    if (best === undefined || requests < best.requests) best = { replica, requests };
  }
  return best?.replica;
}
