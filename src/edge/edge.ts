import type { IncomingMessage, Server } from 'node:http';
import { NO_ACCESS } from './access.ts';
import { AnswerMeter } from './answer-meter.ts';
import { Answer } from './answer.ts';
import { BoundedCount } from './bounded-count.ts';
import type { IsTrustedProxy } from './client-address.ts';
import type { Arrival } from './connections.ts';
import { createDoor } from './door.ts';
import type { EdgeResponse } from './edge-response.ts';
import { createFindEndpoint } from './find-endpoint.ts';
import { requestIdOf } from './headers.ts';
import { failFromOutside, guarded } from './guarded.ts';
import { HoldQueue } from './hold-queue.ts';
import { BodyShare } from './read-body.ts';
import { refuse, type Refusal } from './refusal.ts';
import { recordOf } from './record-of.ts';
import { shuttingDown } from './route-refusals.ts';
import { serveVisit } from './serve-visit.ts';
import { DEFAULT_SURFACE, type Surface } from './surface.ts';
import { Upstreams } from './upstreams.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** What the edge works with; see `EdgeContext`. */
export interface EdgeOptions extends Pick<
  EdgeContext,
  'board' | 'ledger' | 'orders' | 'log' | 'observer' | 'now' | 'limits' | 'created' | 'keys' | 'planOf'
> {
  readonly surface?: Surface;
  /** Whose word about a client's address counts; missing: nobody's. */
  readonly isTrustedProxy?: IsTrustedProxy | undefined;
}

export interface Edge {
  /** Does not listen yet. */
  readonly server: Server;
  /** It is to end soon. Serves on, but says on `/health` that it will not, and each further answer closes its connection. */
  leave(): void;
  /**
   * Accepts nothing more and answers 503 to those who wait; requests at a replica go on to their end.
   * Resolves when the last has ended and every connection, on both sides, is closed.
   */
  shutdown(): Promise<void>;
}

/** The data path: one HTTP server for all models. It decides nothing about what is loaded. */
export function createEdge({ surface = DEFAULT_SURFACE, ...options }: EdgeOptions): Edge {
  let leaving = false;
  let stopping = false;
  const edge: EdgeContext = {
    ...options,
    cors: surface.cors,
    findEndpoint: createFindEndpoint(surface.opened),
    upstreams: new Upstreams(options.ledger, options.limits, options.now),
    holds: new HoldQueue(),
    exchanges: new BoundedCount(options.limits.maxInFlight),
    bodies: new BoundedCount(options.limits.maxHeldBytes),
    isLeaving: () => leaving,
    isStopping: () => stopping,
  };
  const follow = (): void => {
    // The board's table, not the callback's: a listener before us may have published a newer one.
    edge.upstreams.publish(edge.board.read());
    edge.holds.reconsiderAll();
  };
  follow();
  edge.board.onPublish(follow);
  const { isTrustedProxy = () => false, ...door } = options;
  const { server, ...connections } = createDoor({ ...door, isTrustedProxy }, (req, res, arrival) => {
    if (leaving) res.shouldKeepAlive = false;
    serveRequest(edge, req, res, arrival);
  });
  return {
    server,
    leave: () => {
      leaving = true;
    },
    shutdown: async () => {
      leaving = true;
      stopping = true;
      const closed = connections.close();
      edge.holds.turnAllAway();
      for (const { res } of connections.incomplete()) refuse(res, shuttingDown);
      await closed;
      await edge.upstreams.close();
    },
  };
}

function serveRequest(edge: EdgeContext, req: IncomingMessage, res: EdgeResponse, arrival: Arrival): void {
  const visit = beginVisit(edge, req, res, arrival);
  const limit = setTimeout(() => {
    failFromOutside(visit, timedOut(req));
  }, edge.limits.requestTimeout);
  // When the answer is out, or the connection is gone: it has its connection, since one is served at a time.
  res.once('close', () => {
    visit.ended = true;
    clearTimeout(limit);
    visit.reserved?.release();
    visit.answer.silence();
    visit.share.release();
    visit.endKeyUse?.();
    if (visit.counted) edge.exchanges.give();
    arrival.end();
    tellOfEnd(edge, visit);
  });
  if (arrival.problem !== undefined) {
    refuse(res, arrival.problem);
    return;
  }
  guarded(edge, visit, () => {
    serveVisit(edge, visit);
  });
}

/** With the rest of its body still on the way a connection is good for nothing more: it ends. */
const timedOut = ({ complete }: IncomingMessage): Refusal => ({
  status: 504,
  code: 'request_timeout',
  message: 'the request took longer than this server allows',
  close: !complete,
});

function beginVisit(edge: EdgeContext, req: IncomingMessage, res: EdgeResponse, arrival: Arrival): Visit {
  const requestId = requestIdOf(req.headers);
  // For every answer, whoever gives it.
  res.common.push('x-request-id', requestId);
  const target = req.url === undefined ? '' : req.url;
  const mark = target.indexOf('?');
  const end = mark === -1 ? target.length : mark;
  const meter = new AnswerMeter(edge.now);
  return {
    req,
    res,
    answer: new Answer(res, meter),
    client: arrival.client,
    proxy: arrival.proxy,
    path: target.slice(0, end),
    query: target.slice(end),
    arrived: arrival.began,
    share: new BodyShare(edge.bodies),
    endpoint: undefined,
    meter,
    keyId: undefined,
    access: NO_ACCESS,
    endKeyUse: undefined,
    requestId,
    model: undefined,
    waited: 0,
    loading: 0,
    counted: false,
    upstreamError: undefined,
    ended: false,
    reserved: undefined,
  };
}

/** A fault of an observer is not the requests': none may be cut by it. */
function tellOfEnd({ observer, log, now }: EdgeContext, visit: Visit): void {
  try {
    observer.ended(recordOf(visit, now()));
  } catch (error) {
    log.error('the end of a request could not be told', { error });
  }
}
