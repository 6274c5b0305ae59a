import type { PodView } from '../api/cluster/pod-view.ts';
import { Alarm } from '../domain/alarm.ts';
import { after, milliseconds, since, type Duration } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import type { Log } from '../platform/log.ts';
import { EventWriter, type EventWriterParts } from './event-writer.ts';
import type { World } from './situations.ts';
import { StatusPublisher, type Newest } from './status-publisher.ts';
import { StatusWriter, type StatusWriterParts } from './status-writer.ts';
import type { Happening } from './transitions.ts';

export interface AnnouncerParts extends Pick<EventWriterParts, 'podOf' | 'instance' | 'nonce'> {
  readonly api: KubeApi;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly log: Log;
  /** Who does not decide has nothing to tell. */
  readonly isLeading: () => boolean;
  /** Everything there is to tell of now. Asked only while it leads. */
  readonly look: () => World;
  readonly newest: Newest;
  readonly versionOf: StatusWriterParts['versionOf'];
  readonly onWritten: StatusWriterParts['onWritten'];
  /** More may be written down now than before: see `hasToldFailure`. */
  readonly onTold: () => void;
}

/** More would not make a thousand come sooner: the API server writes one after another. */
const STATUSES_AT_ONCE = 8;

/**
 * A look follows on what was decided, and where it takes long it must not hold that up: the pod that somebody waits for is asked for
 * meanwhile. It is put off by so many times as long as the last one took.
 */
const GIVES_WAY = 2;
const LONGEST_WAIT = milliseconds(200);

/**
 * So long statuses are put off, which is what it takes to ask for a pod: etcd answers no read before the writes that came before it,
 * so that a status on its way makes the look at the ModelDeployment take twice as long.
 */
const STATUSES_WAIT = milliseconds(40);

/** Tells the cluster what becomes of its models, in statuses and in Events. */
export class Announcer {
  readonly #parts: AnnouncerParts;
  /** Of its own, so that no thousand statuses keep a pod waiting. */
  readonly #lanes: WriteLanes;
  readonly #events: EventWriter;
  readonly #publisher: StatusPublisher;
  readonly #alarm: Alarm;
  /** How long the last look took. */
  #took = milliseconds(0);
  #cancelTelling: (() => void) | undefined;
  /** Has statuses written at once that give way now. */
  #endWait: (() => void) | undefined;
  #telling: Promise<void> | undefined;

  constructor(parts: AnnouncerParts) {
    const { api, timers, log, versionOf, onWritten, onTold, newest } = parts;
    this.#parts = parts;
    this.#lanes = new WriteLanes({ log, timers, atOnce: STATUSES_AT_ONCE });
    this.#events = new EventWriter(parts);
    this.#alarm = new Alarm(timers.wakeIn, () => {
      this.tellSoon();
    });
    this.#publisher = new StatusPublisher({
      statuses: new StatusWriter({ api, lanes: this.#lanes, versionOf, onWritten, onSettled: onTold }),
      events: this.#events,
      newest,
      giveWay: async () =>
        new Promise((resolve) => {
          this.#endWait = resolve;
          timers.wakeIn(STATUSES_WAIT, resolve);
        }),
      clock: () => ({ now: timers.now(), wall: parts.wallNow() }),
      publishIn: (delay) => {
        this.#tellIn(delay);
      },
    });
  }

  /** Once for all that changes in this turn of the event loop, or until it gives way no more. */
  tellSoon(): void {
    if (this.#cancelTelling !== undefined || !this.#parts.isLeading()) return;
    const wait = milliseconds(Math.min(GIVES_WAY * this.#took, LONGEST_WAIT));
    const telling = (): void => {
      this.#cancelTelling = undefined;
      this.#telling = this.#tell();
    };
    this.#cancelTelling = wait < 1 ? inNextTurn(telling) : this.#parts.timers.wakeIn(wait, telling);
  }

  /** Tells people of something that shows in no status. */
  report(happenings: readonly Happening[]): void {
    this.#events.report(happenings);
  }

  /** Whether the API server has been told that this pod has failed, for whoever leads next. */
  hasToldFailure(pod: PodView): boolean {
    return this.#publisher.hasToldFailure(pod);
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.#alarm.stop();
    this.#cancelTelling?.();
    this.#endWait?.();
    await Promise.all([this.#telling, this.#lanes.close(), this.#events.stop()]);
  }

  async #tell(): Promise<void> {
    const { now } = this.#parts.timers;
    const begun = now();
    const published = this.#publisher.publish(this.#parts.look());
    this.#took = since(begun, now());
    await published;
    // An earlier operator may have told it already: then nothing is written.
    this.#parts.onTold();
  }

  #tellIn(delay: Duration): void {
    const now = this.#parts.timers.now();
    this.#alarm.setTo(after(now, delay), now);
  }
}

/** The returned function cancels. */
function inNextTurn(work: () => void): () => void {
  const immediate = setImmediate(work);
  return () => {
    clearImmediate(immediate);
  };
}
