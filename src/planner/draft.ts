import type { BinName, PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import type { Instant } from '../domain/units.ts';
import type { Blocked } from './action.ts';

/** A plan while it is made. */
export class Draft {
  /** Replicas whose drain is taken back. */
  readonly returning = new Set<ReplicaId>();
  readonly drains = new Map<ReplicaId, DrainCause>();
  readonly starts: { readonly preset: Preset; readonly bin: BinName }[] = [];
  readonly blocked: Blocked[] = [];
  readonly reservations = new Map<PresetUid, BinName>();
  readonly #now: Instant;
  #wakeAt: Instant | undefined;

  constructor(now: Instant) {
    this.#now = now;
  }

  /** The earliest moment that was noted. */
  get wakeAt(): Instant | undefined {
    return this.#wakeAt;
  }

  /** Notes a moment at which the answer may be another; one that is past says nothing. */
  wake(at: Instant): void {
    if (at > this.#now && (this.#wakeAt === undefined || at < this.#wakeAt)) this.#wakeAt = at;
  }

  /** How many of a preset's replicas are started. */
  countStarts(preset: Preset): number {
    return this.starts.filter((start) => start.preset === preset).length;
  }

  /** Live when this plan has been carried out. */
  isStaying(replica: Replica): boolean {
    return (isLive(replica) && !this.drains.has(replica.id)) || this.returning.has(replica.id);
  }
}
