import type { Replica } from '../domain/replica.ts';
import type { Action } from '../planner/action.ts';

/**
 * The port between the control loop and whatever runs llama-servers.
 *
 * Contract: `apply` only records the order and returns; `observe` shows it from then on (a started replica is `starting`,
 * a drained one `draining`, a stopped one `stopping`; one whose drain was cancelled is what it was before), so that the planner never has to remember what it has ordered.
 * Work goes on in the background, and its outcome is a state, never a rejected promise. An order for a replica that no
 * longer exists, or that is already further on its way out, changes nothing.
 */
export interface Backend {
  /** All replicas that exist or have failed and were not yet forgotten, at this moment. */
  observe(): readonly Replica[];
  apply(action: Action): void;
  /** Drops a failed replica after its failure was noted. */
  forget(replica: Replica['id']): void;
  /** Calls back after each change of what `observe` returns that no `apply` made. */
  onChange(callback: () => void): void;
}
