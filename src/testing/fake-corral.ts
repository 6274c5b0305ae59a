import { createLedger } from '../activity/create-ledger.ts';
import { ControlLoop } from '../control/control-loop.ts';
import type { ModelName } from '../domain/ids.ts';
import { instant, type Instant } from '../domain/units.ts';
import { HoldQueue } from '../edge/hold-queue.ts';
import type { Log } from '../platform/log.ts';
import { buildRouteTable } from '../routing/build-route-table.ts';
import { createRouteBoard } from '../routing/route-board.ts';
import { FakeBackend } from './fake-backend.ts';
import { FakeClient } from './fake-client.ts';

const silent = (): void => undefined;
const silentLog: Log = { error: silent, warn: silent, info: silent, debug: silent };

/** The whole of Corral but sockets and processes, on a clock that the test moves. */
export class FakeCorral {
  #now: Instant = instant(1_000);
  readonly #alarms = new Map<symbol, { readonly at: number; readonly callback: () => void }>();
  readonly ledger = createLedger();
  readonly board = createRouteBoard();
  readonly holds = new HoldQueue();
  readonly backend = new FakeBackend(() => this.#now);
  readonly #log: Log;
  #control: ControlLoop;

  constructor(log: Log = silentLog) {
    this.#log = log;
    this.#control = this.#createControl();
    this.board.onPublish(() => {
      this.holds.reconsiderAll();
    });
  }

  get control(): ControlLoop {
    return this.#control;
  }

  /** The control loop ends, and another one takes its place that remembers nothing; the replicas and the clients go on. */
  restartControl(): void {
    const { catalog } = this.#control;
    this.#control.stop();
    this.#control = this.#createControl();
    this.#control.setCatalog(catalog);
  }

  /** A request for `name`, on its way. */
  request(name: ModelName): FakeClient {
    const client = new FakeClient(
      { board: this.board, ledger: this.ledger, holds: this.holds, now: () => this.#now },
      name,
    );
    client.ask();
    return client;
  }

  /** Lets the control loop's turn come: it runs once per tick, after what has happened in it. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
  }

  /** Moves the clock, and rings what is due. */
  async pass(ms: number): Promise<void> {
    this.#now = instant(this.#now + ms);
    for (const [key, alarm] of this.#alarms) {
      if (alarm.at > this.#now) continue;
      this.#alarms.delete(key);
      alarm.callback();
    }
    await this.settle();
  }

  #createControl(): ControlLoop {
    return new ControlLoop({
      backend: this.backend,
      activity: this.ledger,
      publish: (presets) => {
        this.board.publish(buildRouteTable(presets));
      },
      log: this.#log,
      now: () => this.#now,
      wakeIn: (delay, callback) => {
        const key = Symbol('alarm');
        this.#alarms.set(key, { at: this.#now + delay, callback });
        return () => {
          this.#alarms.delete(key);
        };
      },
    });
  }
}
