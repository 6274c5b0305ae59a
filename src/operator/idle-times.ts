import type { PresetUid } from '../domain/ids.ts';
import { later, type Instant } from '../domain/units.ts';
import type { EdgeChange } from './edge-registry.ts';

/**
 * When each preset was last seen in use, by any edge that ever reported, on our own clock. It outlives the edges: what a
 * dead one saw is not forgotten, and one that died with requests in flight has used the preset until now.
 */
export class IdleTimes {
  readonly #lastUse = new Map<PresetUid, Instant>();

  /** `undefined`: nobody has ever reported a use. */
  find(uid: PresetUid): Instant | undefined {
    return this.#lastUse.get(uid);
  }

  note({ before, after }: EdgeChange, now: Instant): void {
    const models = after?.record.models;
    for (const [uid, { inFlight }] of before?.record.models ?? []) {
      if (inFlight > 0 && models?.has(uid) !== true) this.#used(uid, now);
    }
    for (const [uid, { inFlight, idleSince }] of models ?? []) {
      const at = inFlight > 0 ? now : idleSince;
      if (at !== undefined) this.#used(uid, at);
    }
  }

  keepOnly(isKnown: (uid: PresetUid) => boolean): void {
    for (const uid of this.#lastUse.keys()) if (!isKnown(uid)) this.#lastUse.delete(uid);
  }

  #used(uid: PresetUid, at: Instant): void {
    const known = this.#lastUse.get(uid);
    this.#lastUse.set(uid, known === undefined ? at : later(known, at));
  }
}
