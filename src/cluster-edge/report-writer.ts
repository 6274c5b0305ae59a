import { after, milliseconds, seconds, since, type Duration, type Instant } from '../domain/units.ts';
import { Pauses, type BackOff } from '../kube/back-off.ts';
import { isConflict } from '../kube/kube-api.ts';
import { pause, type Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { TakenOver } from './own-object.ts';
import { delayOf, NOTHING_WRITTEN, withWrite, type Urgency } from './report-budget.ts';

/** How often a report is written again while there is something in it, though nothing has changed. */
const REFRESH_EVERY = seconds(15);
/** The same of one that says nothing, to find out whether it is still there. */
const LOOK_AFTER = seconds(60);
const BACK_OFF: BackOff = { first: milliseconds(250), longest: seconds(5) };

export interface ReportWriterParts {
  /** Reads all there is to say, in the tick of the call, and writes it. */
  readonly write: () => Promise<void>;
  /** Whether there is anything to say that grows old. */
  readonly isWorthRefreshing: () => boolean;
  /** Another process writes our report: it never will be ours again. Nothing is written after this. */
  readonly onTakenOver: (error: TakenOver) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Writes the report of this edge when there is news: what somebody waits for at once, what can wait within about a second, and
 * neither more often than its budget allows. One write at a time, tried until it succeeds, each try with what is true then.
 */
export class ReportWriter {
  readonly #parts: ReportWriterParts;
  #isStopped = false;
  /** How urgent the news is that no write has told; `undefined`: there is none. */
  #untold: Urgency | undefined = 'waitedFor';
  /** While it is too early, or nothing is to be done. */
  #resting: AbortController | undefined;
  #history = NOTHING_WRITTEN;
  /** Since the first of the failures in a row; `undefined`: the last write has succeeded. */
  #pauses: Pauses | undefined;
  /** After a failure: no write before this. */
  #retryAt: Instant | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: ReportWriterParts) {
    this.#parts = parts;
  }

  /** Writes the first report, however long that takes. Resolves when it is written, or when the writer was stopped first. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<undefined>();
    this.#running = this.#run(() => {
      first.resolve(undefined);
    });
    await Promise.race([first.promise, this.#running]);
  }

  /** Something is to be reported. */
  changed(urgency: Urgency): void {
    if (this.#untold === urgency || this.#untold === 'waitedFor') return;
    this.#untold = urgency;
    this.#resting?.abort();
  }

  /** Somebody waits from now on for news that could wait until now. */
  hurry(): void {
    if (this.#untold === 'canWait') this.changed('waitedFor');
  }

  /** Writes nothing more. Resolves when no write is on its way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#resting?.abort();
    await this.#running;
  }

  async #run(onWritten: () => void): Promise<void> {
    while (await this.#isDue()) {
      const error = await this.#write();
      if (error instanceof TakenOver) {
        this.#parts.onTakenOver(error);
        return;
      }
      if (error === undefined) onWritten();
    }
  }

  /** Resolves when a report is to be written, or with false when none may be written any more. */
  async #isDue(): Promise<boolean> {
    for (let delay = this.#delay(); delay > 0 && !this.#isStopped; delay = this.#delay()) {
      this.#resting = new AbortController();
      await pause(this.#parts.timers, delay, this.#resting.signal);
      if (this.#untold === undefined && this.#isOld()) this.#untold = 'canWait';
    }
    return !this.#isStopped;
  }

  /** To be asked every `REFRESH_EVERY`. Whoever has deleted an empty report is not told by any change that it has to come back. */
  #isOld(): boolean {
    const last = this.#history.ended.at(-1);
    if (last !== undefined && since(last, this.#parts.timers.now()) >= LOOK_AFTER) return true;
    return this.#parts.isWorthRefreshing();
  }

  #delay(): Duration {
    if (this.#untold === undefined) return REFRESH_EVERY;
    const now = this.#parts.timers.now();
    const rest = this.#retryAt === undefined ? 0 : since(now, this.#retryAt);
    return milliseconds(Math.max(rest, delayOf(this.#untold, this.#history, now)));
  }

  /** Returns what went wrong. What changes while a report is on its way is for the next. */
  async #write(): Promise<unknown> {
    this.#untold = undefined;
    const error = await this.#attempt();
    const { now, random } = this.#parts.timers;
    this.#history = withWrite(this.#history, now(), random());
    if (error === undefined) this.#pauses = undefined;
    this.#retryAt = error === undefined ? undefined : after(now(), this.#pauseAfter(error));
    // Late already, whatever it was.
    if (error !== undefined) this.#untold = 'waitedFor';
    return error;
  }

  #pauseAfter(error: unknown): Duration {
    this.#pauses ??= new Pauses(BACK_OFF, this.#parts.timers.random);
    return this.#pauses.after(isConflict(error) ? 'conflict' : 'later', error);
  }

  async #attempt(): Promise<unknown> {
    const { write, log } = this.#parts;
    try {
      await write();
      if (this.#pauses !== undefined) log.info('the report is written again');
      return undefined;
    } catch (error) {
      if (this.#pauses === undefined && !(error instanceof TakenOver)) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn('the report could not be written; trying again', { reason });
      }
      return error;
    }
  }
}
