import { milliseconds, minutes, type Duration } from '../domain/units.ts';
import { ApiError } from './kube-api.ts';

/**
 * Why something is to be tried again. `conflict`: somebody else has written to the object between our reading and our writing (409),
 * which says nothing about how busy the API server is. `later`: all else: it has failed, or it has to wait for something.
 */
export type Setback = 'conflict' | 'later';

export interface BackOff {
  /** The most that is waited after the first failure; it doubles with each further one. */
  readonly first: Duration;
  readonly longest: Duration;
}

/** A server that wants to be left alone for longer than this is asked all the same: nobody waits for ever. */
const LONGEST_RETRY_AFTER = minutes(2);

/**
 * How long to wait after `failures` failures in a row: any time up to a limit that doubles, so that many clients of one
 * server do not come back at the same moment. At least what the server asked for (`Retry-After`).
 */
export function delayAfter(error: unknown, failures: number, backOff: BackOff, random: () => number): Duration {
  const limit = Math.min(backOff.longest, backOff.first * 2 ** Math.max(0, failures - 1));
  return milliseconds(Math.max(random() * limit, pauseAskedFor(error)));
}

/** How long the server wants to be left alone (`Retry-After`), as far as it is heeded; 0: it has not said. */
export function pauseAskedFor(error: unknown): Duration {
  const asked = error instanceof ApiError && error.retryAfter !== undefined ? error.retryAfter : 0;
  return milliseconds(Math.min(asked, LONGEST_RETRY_AFTER));
}

/**
 * How long to wait after a conflict. Here a longer pause does not help: where others write all the time, each try is as likely to come
 * between two of their writes as the one before. The range is that of client-go (k8s.io/client-go/util/retry): its `DefaultRetry`,
 * for several clients that change the same object, pauses 10 ms each time; its `DefaultBackoff`, for an object that controllers
 * manage, 10, 50, 250 ms. Both give up then, and a work queue (client-go's, as in controller-runtime) goes on with pauses from 5 ms to
 * 1000 s, the same for conflicts and all else. This one stays at any time up to 250 ms: over a longer time about 8 tries a second for one
 * object, each of them a read and a write; and no more conflicts than others have made writes to it, since each follows on another one.
 */
const AFTER_CONFLICT: BackOff = { first: milliseconds(10), longest: milliseconds(250) };

/**
 * The pauses between the tries of one thing. Each kind of setback counts for itself: that somebody else was faster makes no server
 * that is in trouble well, and a server in trouble is no reason to be slower than others for an object.
 */
export class Pauses {
  readonly #backOffs: Readonly<Record<Setback, BackOff>>;
  readonly #random: () => number;
  readonly #met: Record<Setback, number> = { conflict: 0, later: 0 };

  /** `later`: how long to wait after what is no conflict. */
  constructor(later: BackOff, random: () => number) {
    this.#backOffs = { conflict: AFTER_CONFLICT, later };
    this.#random = random;
  }

  /** How long to wait after one more setback; with the error, where there was one. */
  after(setback: Setback, error: unknown): Duration {
    this.#met[setback] += 1;
    return delayAfter(error, this.#met[setback], this.#backOffs[setback], this.#random);
  }
}
