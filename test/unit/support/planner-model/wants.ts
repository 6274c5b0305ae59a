import type { PresetUid } from '../../../../src/domain/ids.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { FailureCode, Replica } from '../../../../src/domain/replica.ts';
import { seconds, since, type Instant } from '../../../../src/domain/units.ts';
import type { Declarations } from './declarations.ts';

/** The shortest back-off after a failed load. */
const BACK_OFF = seconds(10);

/** What speaks for a start beside requests, and what speaks against it. */
export class Wants {
  readonly #declarations: Declarations;
  /** Presets that somebody has ordered to be loaded, as far as the order can still hold. */
  readonly #ordered = new Set<PresetUid>();
  readonly #failures = new Map<PresetUid, { readonly rendered: string; readonly at: Instant }>();

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  /** Something else is declared now. */
  declare(): void {
    for (const uid of this.#declarations.buried) this.#ordered.delete(uid);
    for (const { uid } of this.#declarations.catalog.presets) this.#orderOwn(uid);
  }

  order(kind: 'load' | 'unload', uid: PresetUid): void {
    this.#failures.delete(uid);
    if (kind === 'load') this.#ordered.add(uid);
    else this.#ordered.delete(uid);
  }

  /** A failed load or a crash ends an order; a refusal by the scheduler does not. */
  died({ preset, rendered }: Replica, code: FailureCode, at: Instant): void {
    if (code !== 'Unschedulable') this.#ordered.delete(preset);
    this.#orderOwn(preset);
    if (code === 'CrashedOnLoad') this.#failures.set(preset, { rendered, at });
  }

  /** An order is fulfilled when a replica is ready. */
  look(replicas: readonly Replica[]): void {
    for (const { preset, state } of replicas) if (state.kind === 'ready') this.#ordered.delete(preset);
  }

  isOrdered(uid: PresetUid): boolean {
    return this.#ordered.has(uid);
  }

  /** Its last load has failed, of just this spec, a moment ago. */
  isTooEarly({ uid, rendered }: Preset, now: Instant): boolean {
    const failure = this.#failures.get(uid);
    return failure?.rendered === rendered && since(failure.at, now) < BACK_OFF;
  }

  /** What must always be loaded is ordered by the control loop itself. */
  #orderOwn(uid: PresetUid): void {
    const preset = this.#declarations.find(uid);
    if (preset !== undefined && preset.scaling.minReplicas > 0) this.#ordered.add(uid);
  }
}
