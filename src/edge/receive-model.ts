import { modelName } from '../domain/ids.ts';
import type { Route } from '../routing/route.ts';
import { FormModelReader } from './form-model.ts';
import { formBoundary } from './form-type.ts';
import type { FoundModel } from './found-model.ts';
import { hasBody } from './framing.ts';
import { guarded } from './guarded.ts';
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

/** Reads a request up to its `model`, and has it used; not if it was refused, or if its client has left. */
export function receiveModel(edge: EdgeContext, visit: Visit, use: (received: ReceivedModel) => void): void {
  receive(edge, visit, (received) => {
    // The waits are over: from here on nothing may be reserved for a client that has left meanwhile.
    if (visit.ended || received === 'gone') return;
    const refusal = edge.isStopping() ? shuttingDown : received;
    if ('name' in refusal) use(refusal);
    else refuse(visit.res, refusal);
  });
}

type Received = ReceivedModel | Refusal | 'gone';
/** Called once, maybe before the function that it is given to returns. */
type Done = (received: Received) => void;

function receive(edge: EdgeContext, visit: Visit, done: Done): void {
  const place = visit.endpoint?.model;
  const { headers } = visit.req;
  const problem = mediaTypeProblem(headers, place === 'multipart' ? 'form' : 'json');
  if (problem !== undefined) done(problem);
  else if (place === 'query') receiveQueried(edge, visit, done);
  else if (place === 'multipart') receiveForm(edge, visit, done);
  else receiveNamed(edge, visit, new JsonModelReader(), done);
}

function receiveForm(edge: EdgeContext, visit: Visit, done: Done): void {
  const type = formBoundary(String(visit.req.headers['content-type']));
  if (type.ok) receiveNamed(edge, visit, new FormModelReader(type.boundary), done);
  else done({ status: 400, code: 'invalid_model', message: type.reason, close: true });
}

/** Finds the model in a body. */
interface ModelReader extends BodyReader {
  /** What was found, now that all `size` bytes have arrived. */
  finish(size: number): FoundModel;
}

function receiveNamed(edge: EdgeContext, visit: Visit, reader: ModelReader, done: Done): void {
  receiveBody(edge, visit, reader, (read) => {
    done(read.kind === 'read' ? namedIn(reader, read.body) : whyNotRead(read));
  });
}

function namedIn(reader: ModelReader, body: Buffer): Received {
  const found = reader.finish(body.length);
  return found.ok
    ? { name: found.model, stream: found.stream, body, closedAt: found.closedAt }
    : { status: 400, code: 'invalid_model', message: found.reason };
}

const whyNotRead = (read: Exclude<ReadBody, { kind: 'read' }>): Received =>
  read.kind === 'gone' ? 'gone' : read.refusal;

/** The model is in the query, and the body may hold anything. */
function receiveQueried(edge: EdgeContext, visit: Visit, done: Done): void {
  const name = modelInQuery(visit.query);
  if (name === undefined) {
    done({ ...noModelInQuery(visit.path), close: hasBody(visit.req) });
    return;
  }
  receiveBody(edge, visit, NO_READER, (read) => {
    done(read.kind === 'read' ? { name, stream: false, body: read.body, closedAt: undefined } : whyNotRead(read));
  });
}

const NO_READER: BodyReader = { read: () => undefined };

/** What comes of the body comes in an event of the connection, where a fault of ours would end the process. */
function receiveBody(edge: EdgeContext, visit: Visit, reader: BodyReader, done: (read: ReadBody) => void): void {
  const { maxBodyBytes, maxMultipartBytes } = edge.limits;
  const maxBytes = visit.endpoint?.model === 'multipart' ? maxMultipartBytes : maxBodyBytes;
  readBody(visit.req, { share: visit.share, maxBytes }, reader, (read) => {
    guarded(edge, visit, () => {
      done(read);
    });
  });
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
