import type { Preset } from './preset.ts';
import type { Replica } from './replica.ts';
import type { Resources } from './resources.ts';

/** It runs what its preset declares now, where that says. */
export const isCurrent = (replica: Pick<Replica, 'rendered' | 'pool'>, { rendered, pool }: Preset): boolean =>
  replica.rendered === rendered && replica.pool === pool;

/** What a replica takes: what its preset says now counts where it runs what that says now. */
export const footprintOf = (replica: Replica, preset: Preset | undefined): Resources =>
  preset !== undefined && isCurrent(replica, preset) ? preset.footprint : replica.footprint;
