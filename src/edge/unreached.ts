import type { ReplicaId } from '../domain/ids.ts';
import { milliseconds, since, type Duration, type Instant } from '../domain/units.ts';

/** Before replicas that nobody listened at are tried again, in milliseconds; twice as long each time after the first. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 2000;

/**
 * What one request knows of replicas at which nobody has listened. Its table may tell later than the network does that a replica
 * is gone, and nothing of the request was sent: so it may wait for better news, though not for ever.
 */
export class Unreached {
  readonly #end: Instant;
  readonly #avoided = new Set<ReplicaId>();
  #pauses = 0;

  /** `end`: no replica is tried again after this. */
  constructor(end: Instant) {
    this.#end = end;
  }

  /** Those that are not to be tried now. */
  get avoided(): ReadonlySet<ReplicaId> {
    return this.#avoided;
  }

  /** Nobody listened there. */
  avoid(replica: ReplicaId): void {
    this.#avoided.add(replica);
  }

  isOver(now: Instant): boolean {
    return now >= this.#end;
  }

  /** How long to wait from `now` on before all are tried again. */
  nextPause(now: Instant): Duration {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#pauses);
    this.#pauses += 1;
    // Whole ones, so that a timer does not come before the end.
    return milliseconds(Math.ceil(Math.min(pause, since(now, this.#end))));
  }

  /** All may be tried again. */
  forgive(): void {
    this.#avoided.clear();
  }
}
