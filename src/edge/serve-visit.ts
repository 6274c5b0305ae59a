import { assertNever } from '../domain/assert-never.ts';
import type { KeyOperation } from '../domain/api-key.ts';
import { allowOrigin, originProblem, preflightHeaders } from './cors.ts';
import type { Handling } from './endpoints.ts';
import type { FoundEndpoint } from './find-endpoint.ts';
import { eventsOf } from './event-dialect.ts';
import { forwardToModel } from './forward-to-model.ts';
import { framingProblem, hasBody } from './framing.ts';
import { letIn } from './let-in.ts';
import { asksForReload, listModels } from './list-models.ts';
import { lookAtModel } from './look-at-model.ts';
import { loadModel, unloadModel } from './order-model.ts';
import { answerEmpty, answerJson, refuse, type Refusal } from './refusal.ts';
import { shuttingDown } from './route-refusals.ts';
import { showModel } from './show-model.ts';
import { showPlan } from './show-plan.ts';
import type { EdgeContext, Visit } from './visit.ts';

/**
 * Answers one request: refused at the door, answered here, or sent to a model. No promise where nothing is waited for: a chain of
 * them would be a tenth of what a short request costs.
 */
export function serveVisit(edge: EdgeContext, visit: Visit): void {
  const { req, res, path } = visit;
  allowOrigin(edge.cors, req, res);
  const problem = framingProblem(req, edge.limits);
  if (problem !== undefined) {
    refuse(res, problem);
    return;
  }
  if (edge.isStopping()) {
    refuse(res, shuttingDown);
    return;
  }
  const found = edge.findEndpoint(req.method, path);
  if (found.kind === 'found') visit.endpoint = found.endpoint;
  const need = needOf(found, visit.query);
  const refusal = originProblem(edge.cors, req) ?? (need === 'nothing' ? undefined : letIn(edge, visit, need));
  if (refusal !== undefined) {
    refuse(res, { ...refusal, close: hasBody(req) });
    return;
  }
  switch (found.kind) {
    case 'found':
      visit.answer.dialect = eventsOf(found.endpoint.api);
      serve(edge, visit, found.endpoint.handling);
      return;
    case 'options':
      answerEmpty(res, [['allow', found.allow], ...preflightHeaders(edge.cors, req)]);
      return;
    case 'wrong-method':
      refuse(res, { ...wrongMethod(found.allow), close: hasBody(req) });
      return;
    case 'unknown-path':
      refuse(res, { ...UNKNOWN_PATH, close: hasBody(req) });
      return;
    default:
      assertNever(found);
  }
}

/**
 * What a request needs before it is answered; `undefined`: a key, whatever it allows. OPTIONS needs nothing, as with
 * llama-server: browsers ask without a key what they may ask with one.
 */
function needOf(found: FoundEndpoint, query: string): KeyOperation | 'nothing' | undefined {
  if (found.kind === 'options') return 'nothing';
  if (found.kind !== 'found') return undefined;
  const { operation, handling } = found.endpoint;
  if (operation === 'public') return 'nothing';
  return handling === 'list-models' && asksForReload(query) ? 'models:manage' : operation;
}

function serve(edge: EdgeContext, visit: Visit, handling: Handling): void {
  switch (handling) {
    case 'health':
      if (edge.isLeaving()) refuse(visit.res, shuttingDown);
      else answerJson(visit.res, { status: 'ok' });
      return;
    case 'list-models':
      listModels(edge, visit);
      return;
    case 'show-model':
      showModel(edge, visit);
      return;
    case 'look':
      lookAtModel(edge, visit);
      return;
    case 'plan':
      showPlan(edge, visit);
      return;
    case 'load-model':
      loadModel(edge, visit);
      return;
    case 'unload-model':
      unloadModel(edge, visit);
      return;
    case 'forward':
      forwardToModel(edge, visit);
      return;
    default:
      assertNever(handling);
  }
}

const UNKNOWN_PATH: Refusal = { status: 404, code: 'not_found', message: 'there is nothing at this path' };

const wrongMethod = (allow: string): Refusal => ({
  status: 405,
  code: 'method_not_allowed',
  message: `only ${allow} is allowed here`,
  headers: [['allow', allow]],
});
