import type { DrainCause, Replica } from '../../domain/replica.ts';
import type { World } from './policy.ts';

/** Drains a replica and stops it in the same moment. One that is idle loses nothing by it. */
export function evict(world: World, { id }: Replica, cause: DrainCause): void {
  world.apply({ kind: 'drain', replica: id, cause });
  world.apply({ kind: 'stop', replica: id });
}

/** Those that are ready and have nothing in flight. */
export function idleReplicas(world: World): readonly Replica[] {
  return world.observe().filter(({ id, state }) => state.kind === 'ready' && world.ledger.inFlight(id) === 0);
}
