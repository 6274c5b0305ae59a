import type { ServerResponse } from 'node:http';
import type { AdminAnswer } from '../admin/admin-server.ts';
import { PLAN_PATH } from '../edge/endpoints.ts';
import { refuse } from '../edge/refusal.ts';
import { answerPlan } from '../edge/show-plan.ts';
import type { Operator } from '../operator/operator.ts';
import type { Log } from '../platform/log.ts';

type Planner = Pick<Operator, 'plan' | 'whyNotReady'>;

/** What the operator answers on its admin port: what would become of a request for a model. A fault there ends nothing else. */
export const planEndpoint = (operator: Planner, log: Log): ReadonlyMap<string, AdminAnswer> =>
  new Map([
    [
      PLAN_PATH,
      (query, response) => {
        try {
          answer(operator, query, response);
        } catch (error) {
          log.error('a plan could not be shown', { error });
          refuse(response, { status: 500, code: 'internal_error', message: 'this is a fault of the operator' });
        }
      },
    ],
  ]);

function answer(operator: Planner, query: string, response: ServerResponse): void {
  const message = operator.whyNotReady();
  if (message === undefined) answerPlan(response, query, (name) => operator.plan(name));
  else refuse(response, { status: 503, code: 'not_ready', message, retryAfter: 1 });
}
