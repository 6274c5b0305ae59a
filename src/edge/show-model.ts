import { BEFORE_MODEL } from './endpoints.ts';
import { listed } from './list-models.ts';
import { othersIn } from './model-status.ts';
import { findRoute } from './receive-model.ts';
import { answerJson, refuse } from './refusal.ts';
import { modelNotFound } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** GET /v1/models/NAME: the entry that the list has for one model. The name is percent-decoded once (RFC 3986 section 2.4). */
export function showModel(edge: EdgeContext, visit: Visit): void {
  const name = decoded(visit.path.slice(BEFORE_MODEL.length));
  if (name === undefined) {
    const message = 'the name of the model in the path is not percent-encoded UTF-8: write % as %25';
    refuse(visit.res, { status: 400, code: 'invalid_model', message });
    return;
  }
  const route = findRoute(edge, visit, name);
  const others = othersIn(edge.board.read(), visit.access);
  if (route === undefined) refuse(visit.res, modelNotFound(name));
  else answerJson(visit.res, listed(route, others, edge.created));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
