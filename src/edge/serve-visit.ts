import { assertNever } from '../domain/assert-never.ts';
import { findEndpoint, type Endpoint } from './endpoints.ts';
import { forwardToModel } from './forward-to-model.ts';
import { framingProblem, hasBody } from './framing.ts';
import { listModels } from './list-models.ts';
import { loadModel, unloadModel } from './order-model.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import { shuttingDown } from './route-refusals.ts';
import { showPlan } from './show-plan.ts';
import { showSlots } from './show-slots.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** Answers one request: refused at the door, answered here, or sent to a model. */
export async function serveVisit(edge: EdgeContext, visit: Visit): Promise<void> {
  const { req, res, path } = visit;
  const problem = framingProblem(req);
  if (problem !== undefined) {
    refuse(res, problem);
    return;
  }
  if (edge.isStopping()) {
    refuse(res, shuttingDown);
    return;
  }
  const found = findEndpoint(req.method, path);
  if (found.kind === 'found') await serve(edge, visit, found.endpoint);
  else
    refuse(res, { ...(found.kind === 'unknown-path' ? UNKNOWN_PATH : wrongMethod(found.allow)), close: hasBody(req) });
}

async function serve(edge: EdgeContext, visit: Visit, endpoint: Endpoint): Promise<void> {
  switch (endpoint) {
    case 'health':
      answerJson(visit.res, { status: 'ok' });
      return;
    case 'list-models':
      return listModels(edge, visit);
    case 'slots':
      showSlots(edge, visit);
      return;
    case 'plan':
      showPlan(edge, visit);
      return;
    case 'load-model':
      return loadModel(edge, visit);
    case 'unload-model':
      return unloadModel(edge, visit);
    case 'forward':
      return forwardToModel(edge, visit);
    default:
      return assertNever(endpoint);
  }
}

const UNKNOWN_PATH: Refusal = { status: 404, code: 'not_found', message: 'there is nothing at this path' };

const wrongMethod = (allow: string): Refusal => ({
  status: 405,
  code: 'method_not_allowed',
  message: `only ${allow} is allowed here`,
  headers: [['allow', allow]],
});
