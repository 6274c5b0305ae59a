import { milliseconds, seconds } from '../domain/units.ts';
import { delayAfter, type BackOff } from '../kube/back-off.ts';
import { pause, type Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { TakenOver } from './own-object.ts';

/** From the end of one write to the next, at least; up to a quarter more, so that many edges do not write in step. */
const GAP = 250;
/** How often a report is written again while there is something in it, though nothing has changed. */
const REFRESH_EVERY = seconds(15);
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
 * Writes the report of this edge when it has changed: at once, and then no more often than every 250 ms; one write at a
 * time, tried until it succeeds, each try with what is true then.
 */
export class ReportWriter {
  readonly #parts: ReportWriterParts;
  readonly #stopping = new AbortController();
  #hasChanged = true;
  /** While nothing is to be done. */
  #resting: AbortController | undefined;
  #failures = 0;
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
  changed(): void {
    this.#hasChanged = true;
    this.#resting?.abort();
  }

  /** Writes nothing more. Resolves when no write is on its way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
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
      await pause(this.#parts.timers, this.#delay(error), this.#stopping.signal);
    }
  }

  /** Resolves when there is something to write, or with false when nothing may be written any more. */
  async #isDue(): Promise<boolean> {
    while (!this.#hasChanged && !this.#stopping.signal.aborted) {
      this.#resting = new AbortController();
      await pause(this.#parts.timers, REFRESH_EVERY, this.#resting.signal);
      this.#hasChanged ||= this.#parts.isWorthRefreshing();
    }
    return !this.#stopping.signal.aborted;
  }

  /** Returns what went wrong. What changes while a report is on its way is for the next. */
  async #write(): Promise<unknown> {
    this.#hasChanged = false;
    try {
      await this.#parts.write();
      if (this.#failures > 0) this.#parts.log.info('the report is written again');
      this.#failures = 0;
      return undefined;
    } catch (error) {
      this.#hasChanged = true;
      this.#failures += 1;
      if (this.#failures === 1 && !(error instanceof TakenOver)) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#parts.log.warn('the report could not be written; trying again', { reason });
      }
      return error;
    }
  }

  #delay(error: unknown): ReturnType<typeof milliseconds> {
    const { random } = this.#parts.timers;
    if (error !== undefined) return delayAfter(error, this.#failures, BACK_OFF, random);
    return milliseconds(GAP * (1 + random() / 4));
  }
}
