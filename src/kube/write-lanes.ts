import { milliseconds, seconds, type Duration } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import { delayAfter, type BackOff } from './back-off.ts';
import { isTemporary } from './kube-api.ts';
import { pause, type Timers } from './timers.ts';

const BACK_OFF: BackOff = { first: milliseconds(200), longest: seconds(30) };

/**
 * One attempt to bring an object into the state that is wanted of it. It is called again until it says `done`, so it must
 * look each time at what is wanted and at what there is, and say `done` when nothing is wanted any more. `again`: the world
 * has changed underneath (409), or it has to wait for something. A throw that is temporary (`isTemporary`) means `again`.
 */
export type LaneTask = () => Promise<'done' | 'again'>;

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

interface Lane {
  readonly entries: Entry[];
  /** Somebody has asked for an attempt since the last one began. */
  isWoken: boolean;
  pausing: AbortController | undefined;
}

type Attempt = LaneEnd | { readonly kind: 'again'; readonly error: unknown };

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
   * again, it does so now: what is wanted may have changed. Resolves when the task has ended, and never rejects.
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

  /** What a task of this lane waits for may have happened: if the lane waits to try again, it does so now. */
  wake(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.isWoken = true;
    lane.pausing?.abort();
  }

  /** Whether the lane of this key has anything left to do. */
  isBusy(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** No further attempt is made, and the tasks that are left end as `closed`. Resolves when nothing is on its way any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const key of this.#lanes.keys()) this.wake(key);
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
    for (let tries = 1; !this.#isClosed; tries += 1) {
      const attempt = await this.#inTurn(lane, task);
      if (attempt.kind !== 'again') return this.#reportEnd(key, attempt);
      await this.#wait(lane, this.#delay(key, attempt.error, tries));
    }
    return { kind: 'closed' };
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

  /** The first `again` is followed at once, since it mostly means that a newer state was read. */
  #delay(key: string, error: unknown, tries: number): Duration {
    const { random } = this.#parts.timers;
    if (error === undefined) return tries === 1 ? milliseconds(0) : delayAfter(error, tries - 1, BACK_OFF, random);
    this.#parts.log.warn('a write has failed; trying again', { key, reason: messageOf(error) });
    return delayAfter(error, tries, BACK_OFF, random);
  }

  async #wait(lane: Lane, delay: Duration): Promise<void> {
    if (lane.isWoken || this.#isClosed || delay === 0) return;
    lane.pausing = new AbortController();
    await pause(this.#parts.timers, delay, lane.pausing.signal);
    lane.pausing = undefined;
  }

  #reportEnd(key: string, end: LaneEnd): LaneEnd {
    if (end.kind === 'refused') this.#parts.log.warn('a write was refused', { key, reason: messageOf(end.error) });
    return end;
  }
}

async function tryOnce(task: LaneTask): Promise<Attempt> {
  try {
    return (await task()) === 'done' ? { kind: 'done' } : { kind: 'again', error: undefined };
  } catch (error) {
    return isTemporary(error) ? { kind: 'again', error } : { kind: 'refused', error };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
