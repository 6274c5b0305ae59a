import { modelName } from '../domain/ids.ts';
import type { Route } from '../routing/route.ts';
import { FormModelReader } from './form-model.ts';
import { formBoundary } from './form-type.ts';
import type { FoundModel } from './found-model.ts';
import { hasBody } from './framing.ts';
import { JsonModelReader } from './json-model.ts';
import { mediaTypeProblem } from './media-type.ts';
import { modelInQuery, noModelInQuery } from './query-model.ts';
import { readBody, type BodyReader, type ReadBody } from './read-body.ts';
import { refuse, type Refusal } from './refusal.ts';
import { shuttingDown } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** A request's body and the `model` it names. */
export interface ReceivedModel {
  readonly name: string;
  /** It asks for the answer as a stream. */
  readonly stream: boolean;
  readonly body: Buffer;
  /** Where the brace stands that closes the JSON object which names the model; `undefined`: no such object does. */
  readonly closedAt: number | undefined;
}

/** Reads a request up to its `model`. `undefined`: it was refused, or its client has left. */
export async function receiveModel(edge: EdgeContext, visit: Visit): Promise<ReceivedModel | undefined> {
  const received = await receive(edge, visit);
  // The waits are over: from here on nothing may be reserved for a client that has left meanwhile.
  if (visit.ended || received === 'gone') return undefined;
  const refusal = edge.isStopping() ? shuttingDown : received;
  if ('name' in refusal) return refusal;
  refuse(visit.res, refusal);
  return undefined;
}

type Received = ReceivedModel | Refusal | 'gone';

async function receive(edge: EdgeContext, visit: Visit): Promise<Received> {
  const place = visit.endpoint?.model;
  const { headers } = visit.req;
  const problem = mediaTypeProblem(headers, place === 'multipart' ? 'form' : 'json');
  if (problem !== undefined) return problem;
  if (place === 'query') return receiveQueried(edge, visit);
  if (place !== 'multipart') return receiveNamed(edge, visit, new JsonModelReader());
  const type = formBoundary(String(headers['content-type']));
  if (type.ok) return receiveNamed(edge, visit, new FormModelReader(type.boundary));
  return { status: 400, code: 'invalid_model', message: type.reason, close: true };
}

/** Finds the model in a body. */
interface ModelReader extends BodyReader {
  /** What was found, now that all `size` bytes have arrived. */
  finish(size: number): FoundModel;
}

async function receiveNamed(edge: EdgeContext, visit: Visit, reader: ModelReader): Promise<Received> {
  const read = await receiveBody(edge, visit, reader);
  if (read.kind === 'gone') return 'gone';
  if (read.kind === 'refused') return read.refusal;
  const found = reader.finish(read.body.length);
  return found.ok
    ? { name: found.model, stream: found.stream, body: read.body, closedAt: found.closedAt }
    : { status: 400, code: 'invalid_model', message: found.reason };
}

/** The model is in the query, and the body may hold anything. */
async function receiveQueried(edge: EdgeContext, visit: Visit): Promise<Received> {
  const name = modelInQuery(visit.query);
  if (name === undefined) return { ...noModelInQuery(visit.path), close: hasBody(visit.req) };
  const read = await receiveBody(edge, visit, NO_READER);
  if (read.kind === 'gone') return 'gone';
  return read.kind === 'refused' ? read.refusal : { name, stream: false, body: read.body, closedAt: undefined };
}

const NO_READER: BodyReader = { read: () => undefined };

async function receiveBody({ limits }: EdgeContext, visit: Visit, reader: BodyReader): Promise<ReadBody> {
  const { maxBodyBytes, maxMultipartBytes } = limits;
  const maxBytes = visit.endpoint?.model === 'multipart' ? maxMultipartBytes : maxBodyBytes;
  return readBody(visit.req, { share: visit.share, maxBytes }, reader);
}

/**
 * Looks a client's name up; what its key does not show it is missing. A found one is noted for the log: names that nobody
 * declares could be anything.
 */
export function findRoute(edge: Pick<EdgeContext, 'board'>, visit: Visit, name: string): Route | undefined {
  const route = edge.board.read().find(modelName(name));
  if (route === undefined || !visit.access.sees(route.preset.model)) return undefined;
  visit.model = route.preset.model;
  return route;
}
