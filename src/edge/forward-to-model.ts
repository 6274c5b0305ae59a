import { modelName } from '../domain/ids.ts';
import type { Route } from '../routing/route.ts';
import { addParameters, parametersOf } from './add-parameters.ts';
import { Exchange } from './exchange.ts';
import { giveBack } from './give-back.ts';
import { requestHeaders } from './headers.ts';
import { findRoute, receiveModel, type ReceivedModel } from './receive-model.ts';
import { refuse, type Refusal } from './refusal.ts';
import { modelNotFound } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** POST of an inference endpoint: the body goes byte for byte, but for what a variant adds, to a replica of the model that it names. */
export function forwardToModel(edge: EdgeContext, visit: Visit): void {
  receiveModel(edge, visit, (received) => {
    forward(edge, visit, received);
  });
}

function forward(edge: EdgeContext, visit: Visit, received: ReceivedModel): void {
  const { name, stream } = received;
  const route = findRoute(edge, visit, name);
  const account = route === undefined ? undefined : edge.ledger.find(route.uid);
  if (route === undefined || account === undefined) {
    refuse(visit.res, modelNotFound(name));
    return;
  }
  const parameters = parametersOf(route, modelName(name));
  if (visit.endpoint?.model === 'multipart' && parameters !== undefined) {
    refuse(visit.res, variantInForm(route));
    return;
  }
  // What else says `stream` gets an answer as a whole; a connection that is not used again does no harm.
  const awaitsStream = stream && visit.endpoint?.canStream === true;
  const headers = requestHeaders(visit.req.headers, visit);
  const outgoing = {
    method: 'POST',
    path: visit.path + visit.query,
    headers,
    body: sentBody(received, parameters),
    reset: stream,
  } as const;
  new Exchange(edge, visit, { name, account, awaitsStream, outgoing }).begin(route);
}

/** Takes the body that was received. */
function sentBody({ body, closedAt }: ReceivedModel, parameters: string | undefined): Buffer {
  if (parameters === undefined || closedAt === undefined) return body;
  const longer = addParameters(body, closedAt, parameters);
  giveBack(body);
  return longer;
}

/** What a variant fixes are members of a JSON object: a form has texts only. */
const variantInForm = ({ preset }: Route): Refusal => ({
  status: 400,
  code: 'invalid_model',
  message: `a variant fixes fields of JSON requests only: in a form, name its model, ${JSON.stringify(preset.model)}`,
});
