import type { Declared } from '../activity/ledger.ts';
import { PeakWindow } from '../activity/peak-window.ts';
import type { Peak } from '../domain/activity.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';

/**
 * The most requests that all edges together had in flight at once, as far as they report it: of presets that may have
 * several replicas.
 */
export class EdgePeaks {
  #scaled: ReadonlySet<PresetUid> = new Set();
  readonly #windows = new Map<PresetUid, PeakWindow>();

  declare(presets: readonly Declared[]): void {
    const scaled = presets.filter(({ scaling }) => scaling !== undefined && scaling.maxReplicas > 1);
    this.#scaled = new Set(scaled.map(({ uid }) => uid));
    for (const uid of this.#windows.keys()) if (!this.#scaled.has(uid)) this.#windows.delete(uid);
  }

  /** So many are in flight now. `undefined`: nobody knows, and what was before proves nothing of what comes after. */
  note(inFlight: ((uid: PresetUid) => number) | undefined, now: Instant): void {
    if (inFlight === undefined) {
      this.#windows.clear();
      return;
    }
    for (const uid of this.#scaled) {
      const window = this.#windows.get(uid);
      if (window === undefined) this.#windows.set(uid, new PeakWindow(now, inFlight(uid)));
      else window.set(inFlight(uid), now);
    }
  }

  find(uid: PresetUid, now: Instant): Peak | undefined {
    return this.#windows.get(uid)?.peak(now);
  }
}
