import type { Preset } from '../domain/preset.ts';
import type { Duration } from '../domain/units.ts';
import type { LoadFailure, Refusal } from './route.ts';

/** How a preset stands with the planner. */
export interface Standing {
  readonly pool: 'open' | 'paused' | 'missing';
  /** Its last load failed, and it is not tried again before `retryAt`. */
  readonly backOff: LoadFailure | undefined;
  /** In words for a client, where it is wanted and cannot be started. */
  readonly waitsFor: string | undefined;
  /** Somebody has ordered it to be loaded. */
  readonly ordered: boolean;
  readonly lastLoad: Duration | undefined;
}

/**
 * Why a request that finds no ready replica is refused instead of held. First match of:
 *
 * | pool    | backing off | autoload | ordered or on its way | refusal        |
 * |---------|-------------|----------|-----------------------|----------------|
 * | missing |             |          |                       | pool-not-found |
 * | paused  |             |          |                       | pool-paused    |
 * | open    | yes         |          |                       | load-failed    |
 * | open    | no          | off      | no                    | autoload-off   |
 */
export function refusalOf(preset: Preset, standing: Standing, onItsWay: boolean): Refusal | undefined {
  if (standing.pool === 'missing') return { kind: 'pool-not-found', pool: preset.pool };
  if (standing.pool === 'paused') return { kind: 'pool-paused', pool: preset.pool };
  if (standing.backOff !== undefined) return { kind: 'load-failed', ...standing.backOff };
  if (!preset.scaling.autoload && !standing.ordered && !onItsWay) return { kind: 'autoload-off' };
  return undefined;
}
