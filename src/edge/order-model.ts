import { assertNever } from '../domain/assert-never.ts';
import { milliseconds, type Duration } from '../domain/units.ts';
import type { Route } from '../routing/route.ts';
import { asksToWait } from './asks-to-wait.ts';
import { loadGoal, unloadGoal, type Goal } from './order-goal.ts';
import { OrderWait } from './order-wait.ts';
import type { Ordered } from './orders.ts';
import { findRoute, receiveModel } from './receive-model.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import { tooManyOrders } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** An order that a client gives. */
interface Order {
  readonly give: (route: Route, waits: Duration) => Ordered;
  /** What is said, without `wait`, of one that is needless, in the words of llama-server's router. */
  readonly needless: string;
  /** What whoever waits for it waits for. Made before the order is given. */
  readonly goalOf: (route: Route) => Goal;
}

/** POST /models/load: wants a model loaded. */
export function loadModel(edge: EdgeContext, visit: Visit): void {
  orderModel(edge, visit, {
    give: ({ uid }, waits) => edge.orders.load(uid, waits),
    needless: 'model is already running',
    goalOf: () => loadGoal(edge, visit),
  });
}

/** POST /models/unload: wants the replicas of a model gone when their requests have ended. */
export function unloadModel(edge: EdgeContext, visit: Visit): void {
  orderModel(edge, visit, {
    give: ({ uid }, waits) => edge.orders.unload(uid, waits),
    needless: 'model is not running',
    goalOf: ({ uid }) => unloadGoal(edge, uid),
  });
}

/**
 * Answered when the wish is recorded, as llama-server's router does, which calls one that changes nothing an error. With
 * `wait=true`, answered when the model is as was ordered, whoever has made it so.
 */
function orderModel(edge: EdgeContext, visit: Visit, order: Order): void {
  receiveModel(edge, visit, ({ name }) => {
    const waits = asksToWait(visit.query);
    const route = findRoute(edge, visit, name);
    if (route === undefined) refuse(visit.res, MODEL_NOT_FOUND);
    else if (waits === undefined) refuse(visit.res, wrongWait(visit.path));
    else if (waits) new OrderWait(edge, visit, { name, route, goal: order.goalOf(route), give: order.give }).begin();
    else answerOrder(visit, order, order.give(route, milliseconds(0)));
  });
}

function answerOrder({ res }: Visit, { needless }: Order, ordered: Ordered): void {
  switch (ordered) {
    case 'ordered':
      answerJson(res, { success: true, outcome: 'ordered' });
      return;
    case 'needless':
      refuse(res, { status: 400, code: 'invalid_order', message: needless });
      return;
    case 'too-many':
      refuse(res, tooManyOrders);
      return;
    default:
      assertNever(ordered);
  }
}

/** In the words of llama-server's router. */
const MODEL_NOT_FOUND: Refusal = {
  status: 404,
  code: 'model_not_found',
  type: 'not_found_error',
  message: 'model is not found',
};

const wrongWait = (path: string): Refusal => ({
  status: 400,
  code: 'invalid_order',
  message: `"wait" in the query is neither true nor false: ask for ${path}?wait=true to be answered when it is done, and without it to be answered at once`,
});
