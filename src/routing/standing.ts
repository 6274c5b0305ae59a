import type { Trouble } from '../domain/replica.ts';
import type { Duration } from '../domain/units.ts';
import type { LoadFailure, Refusal, RoutedPreset, Waits } from './route.ts';

/** The reason of the planner that no waiting ends. */
const TOO_LARGE = 'TooLarge';

/** How a preset stands with the planner. */
export interface Standing {
  /** Why it is not run as it is declared. */
  readonly notAccepted: { readonly reason: string; readonly message: string } | undefined;
  readonly pool: 'open' | 'paused' | 'missing';
  /**
   * Its last load failed, or the scheduler has found no place and nobody will leave for it: it is not tried again before
   * `retryAt`.
   */
  readonly backOff: LoadFailure | undefined;
  /** Where it is wanted and cannot be started. */
  readonly waitsFor: Waits | undefined;
  /** What keeps it from being loaded, where its replicas do not tell. */
  readonly trouble?: Trouble;
  /** Somebody has ordered it to be loaded. */
  readonly ordered: boolean;
  readonly lastLoad: Duration | undefined;
}

/** Of a preset of which nobody has said anything. */
export const NOTHING_SAID: Standing = {
  notAccepted: undefined,
  pool: 'open',
  backOff: undefined,
  waitsFor: undefined,
  ordered: false,
  lastLoad: undefined,
};

/**
 * Why a request that finds no ready replica is refused instead of held. First match of:
 *
 * | accepted | pool    | backing off | autoload | ordered or on its way | refusal        |
 * |----------|---------|-------------|----------|-----------------------|----------------|
 * | no       |         |             |          |                       | not-accepted   |
 * | yes      | missing |             |          |                       | pool-not-found |
 * | yes      | paused  |             |          |                       | pool-paused    |
 * | yes      | open    | yes         |          |                       | load-failed    |
 * | yes      | open    | no          | off      | no                    | autoload-off   |
 * | yes      | open    | no          |          |                       | too-large, if that is what it waits for |
 */
export function refusalOf(preset: RoutedPreset, standing: Standing, onItsWay: boolean): Refusal | undefined {
  if (standing.notAccepted !== undefined) return { kind: 'not-accepted', ...standing.notAccepted };
  if (standing.pool === 'missing') return { kind: 'pool-not-found', pool: preset.pool };
  if (standing.pool === 'paused') return { kind: 'pool-paused', pool: preset.pool };
  if (standing.backOff !== undefined) return { kind: 'load-failed', ...standing.backOff };
  if (!preset.scaling.autoload && !standing.ordered && !onItsWay) return { kind: 'autoload-off' };
  if (standing.waitsFor?.reason === TOO_LARGE) return { kind: 'too-large', because: standing.waitsFor.because };
  return undefined;
}
