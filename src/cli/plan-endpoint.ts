import type { ServerResponse } from 'node:http';
import type { AdminAnswer } from '../admin/admin-server.ts';
import { PLAN_PATH } from '../edge/endpoints.ts';
import { refuse, type Refusal } from '../edge/refusal.ts';
import { answerPlan } from '../edge/show-plan.ts';
import type { OperatorReplica, OperatorStanding } from '../operator/operator-replica.ts';
import type { Log } from '../platform/log.ts';

type Planner = Pick<OperatorReplica, 'plan' | 'standing'>;

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
  const refusal = whyNot(operator.standing());
  if (refusal === undefined) answerPlan(response, query, (name) => operator.plan(name));
  else refuse(response, refusal);
}

function whyNot(standing: OperatorStanding): Refusal | undefined {
  switch (standing.kind) {
    case 'planning':
      return undefined;
    case 'reading':
      return notReady(standing.reason);
    case 'standby':
      return standing.leader === undefined ? notReady('no operator leads now') : elsewhere(standing.leader);
  }
}

const notReady = (message: string): Refusal => ({ status: 503, code: 'not_ready', message, retryAfter: 1 });

/** What it would plan itself is not what becomes of a request: the leader knows of failures and of times that it does not. */
const elsewhere = (leader: string): Refusal => ({
  status: 501,
  code: 'planned_elsewhere',
  message: `this operator stands by: ask the one that leads, ${leader}`,
});
