import type { Waiting } from '../activity/ledger.ts';
import { since, type Duration, type Instant } from '../domain/units.ts';
import type { Route } from '../routing/route.ts';
import type { Held } from './hold-queue.ts';
import type { Goal } from './order-goal.ts';
import type { Ordered } from './orders.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import { modelNotFound, queueFull, queuesFull, shuttingDown, tooManyOrders } from './route-refusals.ts';
import type { EdgeContext, Reservation, Visit } from './visit.ts';

/** An order whose client waits until it is done. */
export interface AwaitedOrder {
  /** The name that the client used, and what it has found. */
  readonly name: string;
  readonly route: Route;
  readonly goal: Goal;
  /** Records the order. */
  readonly give: (route: Route, waits: Duration) => Ordered;
}

type Phase =
  | { readonly kind: 'arrived' }
  | {
      readonly kind: 'held';
      /** Of an order that is demand. */
      readonly waiting: Waiting | undefined;
      readonly limit: NodeJS.Timeout;
      readonly began: Instant;
    }
  | { readonly kind: 'over' };

/**
 * A client that waits for its order: in line with the requests for the model, for as long as they may wait, and answered
 * exactly once. Whoever waits for a load is counted as they are, so that nobody forgets what is wanted.
 */
export class OrderWait implements Held, Reservation {
  readonly #edge: EdgeContext;
  readonly #visit: Visit;
  readonly #order: AwaitedOrder;
  #phase: Phase = { kind: 'arrived' };

  constructor(edge: EdgeContext, visit: Visit, order: AwaitedOrder) {
    this.#edge = edge;
    this.#visit = visit;
    this.#order = order;
  }

  /**
   * Orders and waits, in the tick of the look-up that found the route. If there is no room to wait, nothing is ordered. What is as it
   * should be is ordered all the same: it may have been ordered otherwise, and not be seen to change yet.
   */
  begin(): void {
    const { route, goal, give } = this.#order;
    this.#visit.reserved = this;
    const isReached = goal.isReached(route);
    const refusal = isReached ? undefined : this.#noRoomToWait();
    if (refusal !== undefined) this.#fail(refusal);
    else if (give(route, route.preset.queue.maxWait) === 'too-many') this.#fail(tooManyOrders);
    else if (isReached) this.#succeed();
    else this.#hold();
  }

  /** By uid: the name may belong to another preset by now. */
  reconsider(): void {
    if (this.#phase.kind !== 'held') return;
    const { route, goal, name } = this.#order;
    const now = this.#edge.board.read().findByUid(route.uid);
    const refusal = now === undefined ? modelNotFound(name) : goal.hopeless(now);
    if (now !== undefined && goal.isReached(now)) this.#succeed();
    else if (refusal !== undefined) this.#fail(refusal);
  }

  turnAway(): void {
    this.#fail(shuttingDown);
  }

  /** The order stands, whether its client waits or not. */
  release(): void {
    this.#leave('unserved');
  }

  #hold(): void {
    const { ledger, holds, now } = this.#edge;
    const { route, goal } = this.#order;
    const began = now();
    const waiting = goal.isDemand ? ledger.find(route.uid)?.wait(began) : undefined;
    const limit = setTimeout(() => {
      this.#giveUp();
    }, route.preset.queue.maxWait);
    this.#phase = { kind: 'held', waiting, limit, began };
    holds.join(route.uid, this);
    // The order, or counting it, may have made the control loop publish before it stood in line.
    this.reconsider();
  }

  #noRoomToWait(): Refusal | undefined {
    const { ledger, holds, limits } = this.#edge;
    const { route, goal } = this.#order;
    const ahead = goal.isDemand ? ledger.find(route.uid)?.waiting : undefined;
    if (ahead !== undefined && ahead >= route.preset.queue.maxWaiting) return queueFull(route);
    return holds.waiting >= limits.maxWaiting ? queuesFull(route, limits.maxWaiting) : undefined;
  }

  #giveUp(): void {
    const { route, goal, name } = this.#order;
    const now = this.#edge.board.read().findByUid(route.uid);
    this.#fail(now === undefined ? modelNotFound(name) : goal.tooLate(now, now.preset.queue.maxWait));
  }

  #succeed(): void {
    this.#leave('served');
    answerJson(this.#visit.res, { success: true, outcome: this.#order.goal.outcome });
  }

  #fail(refusal: Refusal): void {
    this.#leave('unserved');
    refuse(this.#visit.res, refusal);
  }

  /** The phase changes first: whoever hears of the end may publish, and come back here. */
  #leave(how: 'served' | 'unserved'): void {
    const phase = this.#phase;
    this.#phase = { kind: 'over' };
    if (phase.kind !== 'held') return;
    const now = this.#edge.now();
    clearTimeout(phase.limit);
    this.#edge.holds.leave(this.#order.route.uid, this);
    // Whoever waits for an unload does not wait for the model.
    if (phase.waiting === undefined) return;
    this.#visit.waited += since(phase.began, now);
    if (how === 'served') phase.waiting.end();
    else phase.waiting.leave(now);
  }
}
