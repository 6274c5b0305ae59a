import type { Ledger } from '../../../../src/activity/ledger.ts';
import type { ModelName, PresetUid, ReplicaId } from '../../../../src/domain/ids.ts';
import { seconds, type Duration } from '../../../../src/domain/units.ts';
import { HoldQueue } from '../../../../src/edge/hold-queue.ts';
import type { RouteBoard } from '../../../../src/routing/route.ts';
import { FakeClient } from '../../../../src/testing/fake-client.ts';
import type { EventClock } from './event-clock.ts';

/** The part of an edge that dies with it. */
interface EdgeLife {
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
}

/** A client that asks again as soon as its answer has ended. */
export interface Loop {
  readonly model: ModelName;
  readonly duration: Duration;
  isOver: boolean;
}

/** What one client wants, and for how long it waits for it. */
export interface Wish {
  readonly model: ModelName;
  /** From its first byte to its last. */
  readonly duration: Duration;
  readonly patience: Duration;
  readonly loop?: Loop;
}

interface Request {
  readonly wish: Wish;
  readonly client: FakeClient;
  /** `undefined`: nobody declares its model. */
  readonly preset: PresetUid | undefined;
  cancelAlarm: () => void;
  isTimed: boolean;
}

type Outcome = 'served' | 'not-found' | 'refused' | 'left';

/** Asks again after an answer that was none. */
const PAUSE = seconds(5);

/** All clients, and what the test itself counts of them. */
export class Traffic {
  readonly #clock: EventClock;
  readonly #board: RouteBoard;
  #life: EdgeLife;
  readonly #open = new Set<Request>();
  readonly #loops = new Set<Loop>();
  #admitted = 0;
  readonly #outcomes: Outcome[] = [];

  constructor(clock: EventClock, board: RouteBoard, ledger: Ledger) {
    this.#clock = clock;
    this.#board = board;
    this.#life = { ledger, holds: new HoldQueue() };
    board.onPublish(() => {
      this.#life.holds.reconsiderAll();
    });
  }

  get ledger(): Ledger {
    return this.#life.ledger;
  }

  /** Presets in the edge's own queue. */
  get queued(): number {
    return this.#life.holds.presets;
  }

  /** Requests so far, those of them that are open, and how the others ended. */
  get books(): { readonly admitted: number; readonly open: number; readonly outcomes: readonly Outcome[] } {
    return { admitted: this.#admitted, open: this.#open.size, outcomes: this.#outcomes };
  }

  ask(wish: Wish): void {
    const preset = this.#board.read().find(wish.model)?.uid;
    const { ledger, holds } = this.#life;
    const client = new FakeClient({ board: this.#board, ledger, holds, now: this.#clock.now }, wish.model);
    const request: Request = { wish, client, preset, cancelAlarm: () => undefined, isTimed: false };
    this.#admitted += 1;
    this.#open.add(request);
    client.ask();
    if (client.state.kind !== 'held') return;
    request.cancelAlarm = this.#clock.wakeIn(wish.patience, () => {
      if (client.state.kind === 'held') client.leave();
    });
  }

  /** A client that asks again and again, until all such are told to end. */
  begin(loop: Loop, patience: Duration): void {
    this.#loops.add(loop);
    this.ask({ ...loop, patience, loop });
  }

  endLoops(model?: ModelName): void {
    for (const loop of this.#loops) {
      if (model !== undefined && loop.model !== model) continue;
      loop.isOver = true;
      this.#loops.delete(loop);
    }
  }

  /** One of those who wait gives up; of none nothing. */
  giveUp(which: number): void {
    const held = this.#inState('held');
    held[which % Math.max(1, held.length)]?.client.leave();
  }

  /** The edge dies with all its connections, and another one takes its place. */
  restart(ledger: Ledger): void {
    this.#life = { ledger, holds: new HoldQueue() };
    for (const { client } of this.#inState('held')) client.leave();
    for (const { client } of this.#inState('streaming')) client.finish();
  }

  /** What is in flight at a replica breaks off. */
  breakOff(replica: ReplicaId): void {
    for (const { client } of this.#open) {
      if (client.state.kind === 'streaming' && client.state.replica === replica) client.finish();
    }
  }

  /** Looks after everybody: answers take their time, and who has one is gone or asks again. False: nothing was to be done. */
  follow(): boolean {
    let isNew = false;
    for (const request of this.#open) {
      const { kind } = request.client.state;
      if (kind === 'answered') this.#close(request);
      else if (kind === 'streaming' && !request.isTimed) this.#time(request);
      else continue;
      isNew = true;
    }
    return isNew;
  }

  /** How many wait for a preset. */
  heldFor(uid: PresetUid): number {
    return this.#inState('held').filter(({ preset }) => preset === uid).length;
  }

  streamingOf(uid: PresetUid): number {
    return this.#inState('streaming').filter(({ preset }) => preset === uid).length;
  }

  /** How many requests are in flight at each replica that has any. */
  streamingAt(): ReadonlyMap<ReplicaId, number> {
    const replicas = [...this.#open].flatMap(({ client: { state } }) =>
      state.kind === 'streaming' ? [state.replica] : [],
    );
    return new Map([...Map.groupBy(replicas, (id) => id)].map(([id, all]) => [id, all.length]));
  }

  /** Presets that somebody waits for. */
  get held(): ReadonlySet<PresetUid> {
    return new Set(this.#inState('held').flatMap(({ preset }) => (preset === undefined ? [] : [preset])));
  }

  #inState(kind: FakeClient['state']['kind']): Request[] {
    return [...this.#open].filter(({ client }) => client.state.kind === kind);
  }

  #time(request: Request): void {
    request.isTimed = true;
    request.cancelAlarm();
    request.cancelAlarm = this.#clock.wakeIn(request.wish.duration, () => {
      request.client.finish();
    });
  }

  #close(request: Request): void {
    const { client, wish } = request;
    request.cancelAlarm();
    this.#open.delete(request);
    if (client.state.kind === 'answered') this.#outcomes.push(client.state.how);
    const { loop } = wish;
    if (loop === undefined || loop.isOver) return;
    const again = (): void => {
      if (!loop.isOver) this.ask(wish);
    };
    if (client.state.kind === 'answered' && client.state.how === 'served') again();
    else this.#clock.wakeIn(PAUSE, again);
  }
}
