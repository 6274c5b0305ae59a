import type { Declared } from '../activity/ledger.ts';
import type { PresetUid } from '../domain/ids.ts';

/** Notes when requests come that are more than the replicas of their preset are to have: of presets that may have several. */
export class EdgePressure {
  #targets: ReadonlyMap<PresetUid, number> = new Map();
  /** How many replicas the requests of each preset were enough for at the last look. */
  #needed: ReadonlyMap<PresetUid, number> = new Map();

  declare(presets: readonly Declared[]): void {
    const targets = new Map<PresetUid, number>();
    for (const { uid, scaling } of presets)
      if (scaling !== undefined && scaling.maxReplicas > 1) targets.set(uid, scaling.targetInFlight);
    this.#targets = targets;
  }

  /** Whether the requests in flight of a preset have risen above a multiple of its target since the last look. */
  rises(inFlight: (uid: PresetUid) => number): boolean {
    const needed = new Map([...this.#targets].map(([uid, target]) => [uid, Math.ceil(inFlight(uid) / target)]));
    const before = this.#needed;
    this.#needed = needed;
    return [...needed].some(([uid, replicas]) => {
      const last = before.get(uid);
      return replicas > Math.max(1, last === undefined ? 0 : last);
    });
  }
}
