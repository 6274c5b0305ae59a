import type { Route } from '../routing/route.ts';
import { Attempt } from './attempt.ts';
import { requestHeaders } from './headers.ts';
import { queryModel } from './query-model.ts';
import { findRoute } from './receive-model.ts';
import { refuse, type Refusal } from './refusal.ts';
import { modelNotFound, modelNotLoaded } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/**
 * GET /slots?model=X and the like: a loaded model's server is asked. Looking is never use: it loads nothing, counts nowhere
 * and keeps no model loaded. Its connection still ends in good order if the model is stopped meanwhile.
 */
export function lookAtModel(edge: EdgeContext, visit: Visit): void {
  const name = queryModel(visit.res, visit.path, visit.query);
  if (name === undefined) return;
  const route = findRoute(edge, visit, name);
  if (route === undefined) {
    refuse(visit.res, modelNotFound(name));
    return;
  }
  look(edge, visit, route);
}

function look(edge: EdgeContext, visit: Visit, route: Route): void {
  const replica = route.replicas[0];
  const upstream = replica === undefined ? undefined : edge.upstreams.find(replica.id);
  if (upstream === undefined) {
    refuse(visit.res, modelNotLoaded(route));
    return;
  }
  const failed = (): void => {
    visit.upstreamError = 'unanswered';
    visit.answer.refuse(NO_ANSWER);
  };
  const events = { written: () => undefined, untouched: failed, unanswered: failed, refused: failed, broken: failed };
  const headers = requestHeaders(visit.req.headers, visit);
  const path = visit.path + visit.query;
  const attempt = new Attempt({ method: 'GET', path, headers, body: null, reset: false }, visit.answer, [], events);
  visit.reserved = {
    release: () => {
      attempt.abort();
    },
  };
  attempt.start(upstream);
}

const NO_ANSWER: Refusal = { status: 502, code: 'upstream_failed', message: 'the model does not answer' };
