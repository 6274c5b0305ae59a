import type { Instant } from './units.ts';

/**
 * What somebody has asked for explicitly, beside requests. `load` holds until the preset is ready or its load has
 * failed, `unload` until its replicas are gone; a later order replaces an earlier one.
 */
export interface Order {
  readonly kind: 'load' | 'unload';
  readonly since: Instant;
  /** Nobody has given it: it stands for `minReplicas`, or for what requests do not load, and ends with that. */
  readonly madeFor?: 'minReplicas' | 'autoloadOff';
}

/** A preset that has failed is not started again before `until`. */
export interface BackOff {
  readonly until: Instant;
}
