import type { PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { Preset } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import type { Failure, Replica } from '../domain/replica.ts';
import type { Duration, Instant } from '../domain/units.ts';
import type { Blocked } from '../planner/action.ts';
import { backingOff, noteFailure, type FailureNote } from './failures.ts';
import {
  hurry,
  isRejection,
  judge,
  limitsOf,
  noteRejection,
  noteStart,
  stillSpeaks,
  type Rejection,
  type Rejections,
  type Surroundings,
} from './learned-limits.ts';

/** What has become of the loads of each declared preset: how long they took, how they failed, what the scheduler refused. */
export class Outcomes {
  readonly #loads = new Map<PresetUid, Duration>();
  readonly #failures: Map<PresetUid, FailureNote>;
  readonly #rejections = new Map<PresetUid, Rejection>();

  /** `remembered`: the failures that whoever decided before has noted. */
  constructor(remembered: ReadonlyMap<PresetUid, FailureNote> = new Map()) {
    this.#failures = new Map(remembered);
  }

  /** How long the last load took. */
  get loads(): ReadonlyMap<PresetUid, Duration> {
    return this.#loads;
  }

  /** Each preset's last failure, also when it may be tried again. */
  get failures(): ReadonlyMap<PresetUid, FailureNote> {
    return this.#failures;
  }

  /** Of presets for which the scheduler has found no place, and that are not tried again yet. */
  rejections(now: Instant): Rejections {
    return new Map([...this.#rejections].filter(([, { until }]) => until > now));
  }

  limits(now: Instant): readonly LearnedLimit[] {
    return limitsOf(this.#rejections, now);
  }

  /** Who has to wait now, after a failure of what is declared now. */
  backOffs(presets: readonly Preset[], now: Instant): Map<PresetUid, FailureNote> {
    const declared = presetsByUid(presets);
    return new Map(
      [...this.#failures.keys()].flatMap((uid): [PresetUid, FailureNote][] => {
        const preset = declared.get(uid);
        const note = preset === undefined ? undefined : backingOff(this.#failures, preset, now);
        return note === undefined ? [] : [[uid, note]];
      }),
    );
  }

  /** When something that is kept here ends by itself. */
  ends(now: Instant): readonly Instant[] {
    return [...this.#failures.values(), ...this.#rejections.values()]
      .map(({ until }) => until)
      .filter((until) => until > now);
  }

  /** In what words the scheduler has refused a preset last. */
  schedulerWords(uid: PresetUid): string | undefined {
    return this.#rejections.get(uid)?.failure.reason;
  }

  ready(uid: PresetUid, loadTime: Duration): void {
    this.#loads.set(uid, loadTime);
  }

  /**
   * A replica has failed. Returns what follows from it. Of one whose spec is not the declared one nothing does: it says
   * nothing of the spec that is, and what the failure of that one said still holds.
   */
  failed(
    replica: Replica,
    failure: Failure,
    surroundings: Surroundings,
  ): { readonly kind: 'failure' | 'rejection'; readonly until: Instant } {
    const { preset: uid, rendered } = replica;
    if (isRejection(failure)) {
      const rejection = noteRejection(this.#rejections.get(uid), { replica, failure }, surroundings);
      this.#rejections.set(uid, rejection);
      return { kind: 'rejection', until: rejection.until };
    }
    if (presetsByUid(surroundings.catalog.presets).get(uid)?.rendered !== rendered)
      return { kind: 'failure', until: failure.at };
    const known = this.#failures.get(uid);
    if (known?.counted.includes(replica.id) === true) return { kind: 'failure', until: known.until };
    const note = noteFailure(known, failure, replica);
    this.#failures.set(uid, note);
    return { kind: 'failure', until: note.until };
  }

  started(uid: PresetUid, now: Instant): void {
    this.#change(uid, (rejection) => noteStart(rejection, now));
  }

  /** Somebody has ordered to load it: it is tried at once. */
  hurry(uid: PresetUid, now: Instant): void {
    this.#failures.delete(uid);
    this.#change(uid, (rejection) => hurry(rejection, now));
  }

  /** Decides of what the scheduler stands in the way of whether waiting is of use. */
  judge(blocked: readonly Blocked[], { catalog, replicas }: Surroundings): void {
    for (const { preset: uid, reason } of blocked) {
      if (!this.#rejections.has(uid)) continue;
      const preset = presetsByUid(catalog.presets).get(uid);
      if (preset === undefined) continue;
      this.#change(uid, (rejection) =>
        reason.kind === 'Unschedulable'
          ? judge(rejection, preset, { catalog, replicas })
          : { ...rejection, isHopeless: false },
      );
    }
  }

  /** Forgets what speaks of presets that are gone, and what the scheduler said that does not hold any more. */
  keepOnly({ catalog, replicas }: Surroundings): void {
    const presets = presetsByUid(catalog.presets);
    for (const book of [this.#failures, this.#loads]) {
      for (const uid of book.keys()) if (!presets.has(uid)) book.delete(uid);
    }
    for (const [uid, rejection] of this.#rejections) {
      const preset = presets.get(uid);
      if (preset === undefined || !stillSpeaks(rejection, preset, replicas)) this.#rejections.delete(uid);
    }
  }

  #change(uid: PresetUid, change: (rejection: Rejection) => Rejection): void {
    const rejection = this.#rejections.get(uid);
    if (rejection !== undefined) this.#rejections.set(uid, change(rejection));
  }
}
