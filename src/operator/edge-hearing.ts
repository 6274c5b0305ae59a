import { Alarm } from '../domain/alarm.ts';
import { after, earliest, later, seconds, since, type Duration, type Instant } from '../domain/units.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { lifeOf, type EdgeRecord } from './edge-record.ts';

/** An edge at which somebody waits writes a report every 15 s: this is how long it takes to leave out three. */
export const UNHEARD_AFTER: Duration = seconds(45);
/** So long after an edge's last word its reports are listed: one that writes is never asked after. */
const LISTEN_AFTER: Duration = seconds(20);
const LISTEN_EVERY: Duration = seconds(5);
/** Lists that are further apart show nothing of the API server in between. The first one may be so far from the word itself. */
const LONGEST_GAP: Duration = seconds(25);

/** A time in which an edge could have been heard, and was not: a row of answered quorum lists, on our own clock. */
export interface Silence {
  /** When the word came that was its last all the time. */
  readonly heardAt: Instant;
  readonly from: Instant;
  /** When the last of the lists was sent. */
  readonly until: Instant;
}

/** One answered list. */
export interface ReportsListed {
  readonly askedAt: Instant;
  readonly answeredAt: Instant;
}

/** The silence of an edge after one more list, in which its last word was the one of `heardAt`. That word itself has shown that it could be heard. */
export function silenceAfter(
  before: Silence | undefined,
  heardAt: Instant,
  { askedAt, answeredAt }: ReportsListed,
): Silence {
  const known = before?.heardAt === heardAt ? before : { heardAt, from: heardAt, until: heardAt };
  const goesOn = askedAt <= after(known.until, LONGEST_GAP);
  return { heardAt, from: goesOn ? known.from : answeredAt, until: later(known.until, askedAt) };
}

/** Whether it has lasted for three reports. */
export const isUnheard = ({ from, until }: Silence): boolean => since(from, until) >= UNHEARD_AFTER;

export interface EdgeHearingParts {
  /** The edges of which it matters whether they are still heard of. */
  readonly speakers: () => readonly EdgeRecord[];
  /** Lists all reports by quorum, and takes them in. Rejects if that is not answered. */
  readonly list: () => Promise<unknown>;
  /** It could have been heard for as long as three reports take, and was not. It is to be no speaker until it is heard again. */
  readonly onUnheard: (record: EdgeRecord) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Finds out which edges are not heard of any more although they could be. That nothing comes proves nothing by itself: the watch, this process
 * or the API server may have stood still. So only time counts in which quorum lists were answered, and showed no news.
 */
export class EdgeHearing {
  readonly #parts: EdgeHearingParts;
  readonly #silences = new Map<string, Silence>();
  /** When the last list was sent. */
  #askedAt: Instant | undefined;
  #isStopped = false;
  readonly #alarm: Alarm;
  #listening: Promise<void> | undefined;

  constructor(parts: EdgeHearingParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.timers.wakeIn, () => {
      this.follow();
    });
  }

  /** To be called when the speakers have changed. Lists at once where it is time. */
  follow(): void {
    const now = this.#parts.timers.now();
    this.#alarm.setTo(undefined, now);
    if (this.#isStopped || this.#listening !== undefined) return;
    const speakers = this.#parts.speakers();
    this.#forget(speakers);
    const dueAt = earliest(speakers.map((record) => this.#dueAt(record)));
    if (dueAt !== undefined && dueAt <= now) this.#listening = this.#listen();
    else this.#alarm.setTo(dueAt, now);
  }

  /** Lists nothing more. Resolves when no list is on its way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#alarm.stop();
    await this.#listening;
  }

  #dueAt({ heardAt }: EdgeRecord): Instant {
    const first = after(heardAt, LISTEN_AFTER);
    return this.#askedAt === undefined ? first : later(first, after(this.#askedAt, LISTEN_EVERY));
  }

  async #listen(): Promise<void> {
    const { list, timers, log } = this.#parts;
    const askedAt = timers.now();
    this.#askedAt = askedAt;
    try {
      await list();
      this.#note({ askedAt, answeredAt: timers.now() });
    } catch (error) {
      this.#startOver();
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the reports could not be listed: nobody knows which edges are not heard of', { reason });
    }
    this.#listening = undefined;
    this.follow();
  }

  #note(listed: ReportsListed): void {
    for (const record of this.#parts.speakers()) {
      const silence = silenceAfter(this.#silences.get(lifeOf(record)), record.heardAt, listed);
      this.#silences.set(lifeOf(record), silence);
      if (isUnheard(silence)) this.#parts.onUnheard(record);
    }
  }

  /** No edge could be heard until now: it has as long as ever from here on. */
  #startOver(): void {
    const now = this.#parts.timers.now();
    for (const record of this.#parts.speakers())
      this.#silences.set(lifeOf(record), { heardAt: record.heardAt, from: now, until: now });
  }

  #forget(speakers: readonly EdgeRecord[]): void {
    const lives = new Set(speakers.map(lifeOf));
    for (const life of this.#silences.keys()) if (!lives.has(life)) this.#silences.delete(life);
  }
}
