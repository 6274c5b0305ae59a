import type { ServerResponse } from 'node:http';
import type { ModelName } from '../domain/ids.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { PLAN_PATH } from './endpoints.ts';
import { queryModel } from './query-model.ts';
import { findRoute } from './receive-model.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import { modelNotFound } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** In a cluster the operator decides, and no edge knows what it would. */
const PLANNED_ELSEWHERE: Refusal = {
  status: 501,
  code: 'planned_elsewhere',
  message: `the operator decides what is loaded: ask it on its admin port, GET ${PLAN_PATH}?model=NAME`,
};

/** GET /models/plan?model=X: what would become of a request for a model. Looking is never use: it loads and counts nothing. */
export function showPlan(edge: EdgeContext, visit: Visit): void {
  const { planOf } = edge;
  if (planOf === undefined) {
    refuse(visit.res, PLANNED_ELSEWHERE);
    return;
  }
  answerPlan(visit.res, visit.query, (name) => {
    const route = findRoute(edge, visit, name);
    return route === undefined ? undefined : planOf(route, visit.access);
  });
}

/** Answers with the plan for the model that a query names; `undefined`: nobody declares it. */
export function answerPlan(
  res: ServerResponse,
  query: string,
  planOf: (name: ModelName) => ModelPlan | undefined,
): void {
  const name = queryModel(res, PLAN_PATH, query);
  if (name === undefined) return;
  const planned = planOf(name);
  if (planned === undefined) refuse(res, modelNotFound(name));
  else answerJson(res, planned);
}
