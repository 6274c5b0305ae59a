import { createLedger } from '../../../../src/activity/create-ledger.ts';
import { ControlLoop } from '../../../../src/control/control-loop.ts';
import type { PresetUid } from '../../../../src/domain/ids.ts';
import type { FailureCode, Replica } from '../../../../src/domain/replica.ts';
import { after, type Duration } from '../../../../src/domain/units.ts';
import type { Log } from '../../../../src/platform/log.ts';
import { buildRouteTable } from '../../../../src/routing/build-route-table.ts';
import { createRouteBoard } from '../../../../src/routing/route-board.ts';
import { checkBooks } from './check-books.ts';
import { Declarations, type Setup } from './declarations.ts';
import { EventClock } from './event-clock.ts';
import { PhysicalBackend, type Fate } from './physical-backend.ts';
import { Progress } from './progress.ts';
import { Referee } from './referee.ts';
import { ReportedActivity } from './reported-activity.ts';
import { Traffic } from './traffic.ts';
import type { Turns } from './turns.ts';
import { takesRoom } from './truth.ts';
import { Wants } from './wants.ts';
import type { WatchedWorld } from './watched-world.ts';

const silent = (): void => undefined;
const silentLog: Log = { error: silent, warn: silent, info: silent, debug: silent };

/** More plans than this at one moment: they would never end. */
const MOST_PLANS_AT_ONCE = 200;

/** A world that breaks a promise. */
class BrokenPromise extends Error {}

/** The real control loop, ledger, planner, routes and hold queue, between clients and processes that only a test could know so well. */
export class ModelWorld implements WatchedWorld {
  readonly clock = new EventClock();
  readonly board = createRouteBoard();
  readonly declarations: Declarations;
  readonly backend: PhysicalBackend;
  readonly source: ReportedActivity;
  readonly traffic: Traffic;
  readonly control: ControlLoop;
  readonly progress: Progress;
  readonly wants: Wants;
  readonly #turns: Turns;
  readonly #referee: Referee;
  #fates: readonly Fate[];
  #plansNow = 0;

  /** `fates`: of the first replica, the second, and so on; then from the beginning again. */
  constructor(turns: Turns, setup: Setup, fates: readonly Fate[]) {
    this.#turns = turns;
    this.#fates = fates;
    const { clock, board } = this;
    const ledger = createLedger();
    this.declarations = new Declarations(setup);
    this.source = new ReportedActivity(ledger, () => this.backend.observe().map(({ id }) => id));
    this.traffic = new Traffic(clock, board, ledger);
    this.wants = new Wants(this.declarations);
    const { declarations, source, traffic, wants } = this;
    this.#referee = new Referee({ declarations, source, traffic, wants, now: clock.now, onDeath: this.#bury });
    this.backend = this.#createBackend();
    this.progress = new Progress(this);
    this.control = new ControlLoop({
      backend: this.backend,
      activity: this.source,
      publish: (presets) => {
        this.#plansNow += 1;
        board.publish(buildRouteTable(presets));
      },
      log: silentLog,
      now: clock.now,
      wakeIn: clock.wakeIn,
    });
    this.declare();
    this.settle();
  }

  /** Something changes that promises to single presets do not outlast. */
  disturb(): void {
    this.progress.restart();
    this.#referee.restart();
  }

  /** Tells the control loop what is declared now. */
  declare(): void {
    this.wants.declare();
    this.disturb();
    this.control.setCatalog(this.declarations.catalog);
  }

  order(kind: 'load' | 'unload', uid: PresetUid): void {
    this.disturb();
    this.wants.order(kind, uid);
    if (kind === 'load') this.control.orderLoad(uid);
    else this.control.orderUnload(uid);
  }

  /** All connections of the edge break, and what is in use is unknown until the next report. */
  restartEdge(): void {
    this.disturb();
    const ledger = createLedger();
    this.source.restart(ledger, this.clock.now());
    this.traffic.restart(ledger);
  }

  /** From now on every load ends well, and nothing breaks any more. */
  heal(): void {
    this.#fates = this.#fates.map((fate) => ({ ...fate, loads: true, crash: undefined }));
    this.declarations.heal();
    this.source.hear();
  }

  /** Lets everything have its turn, and compares the world with what it should be. Throws BrokenPromise. */
  settle(): void {
    do this.#turns.run();
    while (this.traffic.follow());
    this.wants.look(this.backend.observe());
    this.#referee.settle();
    this.throwIf([...this.#referee.violations, ...checkBooks(this), ...this.progress.check()]);
  }

  /** Lets time pass, and looks at the world after everything that happens in it. */
  pass(time: Duration): void {
    const end = after(this.clock.now(), time);
    for (let next = this.clock.next; next !== undefined && next <= end; next = this.clock.next) this.#ring();
    this.clock.moveTo(end);
    this.settle();
  }

  /** Lets time pass until nothing is left that would ever happen. Throws BrokenPromise if that takes more than `most` events. */
  passAll(most: number): void {
    for (let events = 0; this.clock.next !== undefined; events += 1) {
      if (events === most) throw this.#broken(`no rest after ${most} events`);
      this.#ring();
    }
  }

  /** Throws BrokenPromise, with the end of the history, if there is anything to say. */
  throwIf(violations: readonly string[]): void {
    if (violations.length > 0) throw this.#broken(violations.join('; '));
  }

  #ring(): void {
    const before = this.clock.now();
    this.clock.ringNext();
    if (this.clock.now() > before) this.#plansNow = 0;
    this.settle();
    if (this.#plansNow > MOST_PLANS_AT_ONCE) throw this.#broken(`${this.#plansNow} plans at one moment`);
  }

  #broken(what: string): BrokenPromise {
    const history = this.backend.history.slice(-40).join('\n');
    return new BrokenPromise(`at ${this.clock.now()}: ${what}\n${history}`);
  }

  #createBackend(): PhysicalBackend {
    const { clock, declarations } = this;
    return new PhysicalBackend({
      clock,
      witness: this.#referee,
      fateOf: () => this.#nextFate(),
      hasPlace: ({ pool, footprint }, bin, replicas) => {
        const there = replicas.filter((one) => one.pool === pool && one.bin === bin && takesRoom(one));
        return declarations.hasPlace(pool, bin, [footprint, ...there.map((one) => one.footprint)]);
      },
    });
  }

  #nextFate(): Fate {
    const fate = this.#fates[(this.backend.started - 1) % this.#fates.length];
    if (fate === undefined) throw new RangeError('a world needs at least one fate');
    return fate;
  }

  readonly #bury = (replica: Replica, code: FailureCode): void => {
    this.wants.died(replica, code, this.clock.now());
    this.disturb();
  };
}
