import { milliseconds, seconds, type Duration } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import { pauseAskedFor, Pauses, type BackOff, type Setback } from './back-off.ts';
import { isTemporary } from './kube-api.ts';
import { pause, type Timers } from './timers.ts';

const BACK_OFF: BackOff = { first: milliseconds(200), longest: seconds(30) };

/**
 * One attempt to bring an object into the state that is wanted of it. It is called again until it says `done`, so it must
 * look each time at what is wanted and at what there is, and say `done` when nothing is wanted any more. `more`: it has got on, and
 * more is wanted by now; it goes on at once. After a setback it is called again after a pause; a throw that is temporary
 * (`isTemporary`) means `later`.
 */
export type LaneTask = () => Promise<'done' | 'more' | Setback>;

/** How a task has ended. `refused`: it has thrown what trying again does not change; it is not tried again. */
export type LaneEnd =
  { readonly kind: 'done' } | { readonly kind: 'refused'; readonly error: unknown } | { readonly kind: 'closed' };

export interface LaneParts {
  readonly log: Log;
  readonly timers: Timers;
  /**
   * How many attempts may be under way at once; any number unless given. The time that a write has for its answer begins with
   * the attempt: of a thousand that are begun at once, most would only wait for a connection until it is over.
   */
  readonly atOnce?: number;
}

interface Entry {
  readonly task: LaneTask;
  readonly resolve: (end: LaneEnd) => void;
}

interface Pausing {
  readonly ending: AbortController;
  /** The server wants to be left alone for so long: nothing but `close` ends it. */
  readonly isAskedFor: boolean;
}

interface Lane {
  readonly entries: Entry[];
  /** Somebody has asked for an attempt since the last one began. */
  isWoken: boolean;
  pausing: Pausing | undefined;
}

/** With the error, where there was one. */
interface Delayed {
  readonly kind: 'setback';
  readonly setback: Setback;
  readonly error: unknown;
}

type Attempt = LaneEnd | { readonly kind: 'more' } | Delayed;

/**
 * Carries out writes: those with the same key one after another, in order, and those with different keys side by side, so
 * that one object that cannot be written does not hold up the others.
 */
export class WriteLanes {
  readonly #parts: LaneParts;
  readonly #lanes = new Map<string, Lane>();
  readonly #working = new Set<Promise<void>>();
  /** Attempts that wait for others to end, the oldest first. */
  readonly #waiting: (() => void)[] = [];
  #attempts = 0;
  #isClosed = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /**
   * Queues a task in the lane of this key (an object's uid, or its name before it has one). If the lane is waiting to try
   * again, it does so now, as after `wake`: what is wanted may have changed. Resolves when the task has ended, and never rejects.
   */
  async run(key: string, task: LaneTask): Promise<LaneEnd> {
    const { promise, resolve } = Promise.withResolvers<LaneEnd>();
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#open(key, { task, resolve });
    } else {
      lane.entries.push({ task, resolve });
      this.wake(key);
    }
    return promise;
  }

  /**
   * What a task of this lane waits for may have happened: if the lane waits to try again, it does so now, or as soon as the time is
   * over for which the API server wants to be left alone. It asks for that when it has too much to do.
   */
  wake(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.isWoken = true;
    if (lane.pausing?.isAskedFor === false) lane.pausing.ending.abort();
  }

  /** Whether the lane of this key has anything left to do. */
  isBusy(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** No further attempt is made, and the tasks that are left end as `closed`. Resolves when nothing is on its way any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.pausing?.ending.abort();
    for (const goOn of this.#waiting.splice(0)) goOn();
    await Promise.all(this.#working);
  }

  #open(key: string, entry: Entry): void {
    const lane: Lane = { entries: [entry], isWoken: false, pausing: undefined };
    this.#lanes.set(key, lane);
    const work = this.#work(key, lane).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #work(key: string, lane: Lane): Promise<void> {
    for (let entry = lane.entries[0]; entry !== undefined; entry = lane.entries[0]) {
      const end = await this.#carryOut(key, lane, entry.task);
      lane.entries.shift();
      if (lane.entries.length === 0) this.#lanes.delete(key);
      entry.resolve(end);
    }
  }

  async #carryOut(key: string, lane: Lane, task: LaneTask): Promise<LaneEnd> {
    let pauses = this.#newPauses();
    while (!this.#isClosed) {
      const attempt = await this.#inTurn(lane, task);
      if (attempt.kind === 'setback') await this.#rest(key, lane, attempt, pauses);
      else if (attempt.kind === 'more') pauses = this.#newPauses();
      else return this.#reportEnd(key, attempt);
    }
    return { kind: 'closed' };
  }

  #newPauses(): Pauses {
    return new Pauses(BACK_OFF, this.#parts.timers.random);
  }

  async #inTurn(lane: Lane, task: LaneTask): Promise<Attempt> {
    const { atOnce = Infinity } = this.#parts;
    if (this.#attempts < atOnce) this.#attempts += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) return { kind: 'closed' };
    lane.isWoken = false;
    const attempt = await tryOnce(task);
    // Its place goes to who has waited longest.
    const next = this.#waiting.shift();
    if (next === undefined) this.#attempts -= 1;
    else next();
    return attempt;
  }

  async #rest(key: string, lane: Lane, { setback, error }: Delayed, pauses: Pauses): Promise<void> {
    if (error !== undefined)
      this.#parts.log.warn('a write has failed; trying again', { key, reason: messageOf(error) });
    const delay = pauses.after(setback, error);
    const asked = pauseAskedFor(error);
    if (asked > 0) await this.#pause(lane, asked, true);
    if (!lane.isWoken && delay > asked) await this.#pause(lane, milliseconds(delay - asked), false);
  }

  async #pause(lane: Lane, delay: Duration, isAskedFor: boolean): Promise<void> {
    if (this.#isClosed) return;
    const ending = new AbortController();
    lane.pausing = { ending, isAskedFor };
    await pause(this.#parts.timers, delay, ending.signal);
    lane.pausing = undefined;
  }

  #reportEnd(key: string, end: LaneEnd): LaneEnd {
    if (end.kind === 'refused') this.#parts.log.warn('a write was refused', { key, reason: messageOf(end.error) });
    return end;
  }
}

async function tryOnce(task: LaneTask): Promise<Attempt> {
  try {
    const said = await task();
    return said === 'done' || said === 'more' ? { kind: said } : { kind: 'setback', setback: said, error: undefined };
  } catch (error) {
    return isTemporary(error) ? { kind: 'setback', setback: 'later', error } : { kind: 'refused', error };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
