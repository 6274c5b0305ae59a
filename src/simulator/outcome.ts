/** Who decides what is loaded. `corral-by-size` is Corral with the eviction policy IdleBySize. `clairvoyant` knows the trace: a yardstick, not a rival. */
export const POLICIES = [
  'corral',
  'corral-by-size',
  'llama-router',
  'llama-swap',
  'keep-alive',
  'clairvoyant',
] as const;
export type PolicyName = (typeof POLICIES)[number];

/** How long requests waited before they went to a replica, in milliseconds, over all that were served. Percentiles by nearest rank. */
export interface Waits {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What became of a scenario's requests under one policy. */
export interface Outcome {
  readonly policy: PolicyName;
  readonly requests: number;
  /** Loads begun. */
  readonly coldStarts: number;
  /** Requests that had to wait, however shortly. */
  readonly coldRequests: number;
  /** `undefined`: none was served. */
  readonly wait: Waits | undefined;
  /** Requests that gave up before they were served. */
  readonly starved: number;
  /** Loads of a model that had been loaded before. */
  readonly reloads: number;
  /** Over the time from the beginning to the last end of a request. */
  readonly reloadsPerHour: number;
  /** Hours that replicas held capacity, from their start to their exit, up to the last end of a request. */
  readonly gpuHours: number;
  /** Requests in flight that the policy killed. */
  readonly cut: number;
}
