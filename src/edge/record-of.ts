import type { EndedRequest } from '../domain/ended-request.ts';
import { milliseconds, since, type Instant } from '../domain/units.ts';
import { ownAnswerOf } from './edge-response.ts';
import { routeOf } from './endpoints.ts';
import type { Visit } from './visit.ts';

/** The status under which clients count that left before their answer (nginx uses it too); never sent. */
const CLIENT_LEFT = 499;

/** What is told of a request that has ended. */
export function recordOf(visit: Visit, now: Instant): EndedRequest {
  const { req, res, meter, share, arrived, endpoint, model, keyId, requestId, upstreamError } = visit;
  const own = ownAnswerOf(res);
  const tokens = meter.tokens();
  const route = endpoint === undefined ? undefined : routeOf(endpoint);
  // A name that nobody declares could be anything, in a path too.
  const path = endpoint?.model === 'path' && model === undefined && route !== undefined ? route : visit.path;
  return {
    route,
    method: req.method,
    client: visit.client,
    path,
    model,
    status: res.headersSent ? res.statusCode : CLIENT_LEFT,
    code: own?.code,
    keyId,
    requestId,
    arrived,
    duration: since(arrived, now),
    waited: milliseconds(visit.waited),
    firstByte: meter.firstByte === undefined ? undefined : since(arrived, meter.firstByte),
    bytesIn: share.all,
    bytesOut: own === undefined ? meter.bytes : meter.bytes + own.bytes,
    tokensIn: tokens.in,
    tokensOut: tokens.out,
    upstreamError,
    streamed: meter.streamed,
    complete: res.writableFinished,
  };
}
