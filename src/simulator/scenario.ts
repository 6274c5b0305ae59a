import type { Pool } from '../domain/pool.ts';
import type { Resources } from '../domain/resources.ts';
import type { Duration } from '../domain/units.ts';

/** A model as far as a policy and the physics of loading need to know it. */
export interface SimulatedModel {
  readonly name: string;
  /** What each of its replicas takes of a bin. */
  readonly footprint: Resources;
  /** From the start to readiness. */
  readonly loadTime: Duration;
  /** From the stop to the exit; only then is its capacity free. */
  readonly stopTime: Duration;
  /** From the end of the last request to the stop, for policies that have such a thing; 0: never. */
  readonly idleTimeout: Duration;
  readonly priority: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetInFlight: number;
}

/** Requests in the order of their times: columns, since there may be millions. All three are of one length. */
export interface Trace {
  /** When each arrives, in milliseconds since the beginning. Never falls. */
  readonly at: Float64Array;
  /** Which model each asks for: an index into the models. */
  readonly model: Uint32Array;
  /** How long each takes at a replica, in milliseconds. */
  readonly duration: Float64Array;
}

/** Who competes for what, and when: all that a policy is judged by. */
export interface Scenario {
  readonly name: string;
  readonly pool: Pool;
  /** Names are unique. */
  readonly models: readonly SimulatedModel[];
  readonly trace: Trace;
  /** A request that waits longer gives up: it is starved. */
  readonly maxWait: Duration;
}
