import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import type { Instant } from '../domain/units.ts';
import { bodyTimeFor, refuseSlow } from './body-pace.ts';
import type { IsTrustedProxy } from './client-address.ts';
import { Connections, type Arrival, type Served } from './connections.ts';
import { EdgeResponse } from './edge-response.ts';
import type { EdgeLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';
import { unreadable } from './unreadable.ts';

/** The HTTP server, with all that is decided before a request is served. */
export interface Door {
  /** Does not listen yet. */
  readonly server: Server;
  /** The requests that are served now and have not come whole. */
  incomplete(): Iterable<Served>;
  /** Accepts nothing more; resolves when the last request has ended and every connection is closed. */
  close(): Promise<void>;
}

export interface DoorOptions {
  readonly limits: EdgeLimits;
  readonly now: () => Instant;
  readonly isTrustedProxy: IsTrustedProxy;
}

/** Serves one request, and calls `end` of its arrival when its answer is out or its client has left. */
export type Serve = (req: IncomingMessage, res: EdgeResponse, arrival: Arrival) => void;

/** How often Node looks for connections that break the time limits, in milliseconds. */
const TIME_LIMIT_CHECKS = 1000;

export function createDoor({ limits, now, isTrustedProxy }: DoorOptions, serve: Serve): Door {
  const server = createServer({ ...serverOptions(limits), ServerResponse: EdgeResponse });
  server.maxHeadersCount = limits.maxHeaderLines;
  const connections = new Connections({ server, limits, isTrustedProxy, now });
  watchPace(server, limits, () => {
    refuseSlow(connections.incomplete(), limits, now());
  });
  const take = (req: IncomingMessage, res: EdgeResponse): void => {
    leaveAfterUpgrade(req, res);
    connections.take({
      req,
      res,
      serve: (arrival) => {
        serve(req, res, arrival);
      },
    });
  };
  server.on('request', take);
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res);
    take(req, res);
  });
  // What else is expected is refused with the other oddities of heads.
  server.on('checkExpectation', take);
  server.on('connect', (_req, socket: Socket) => {
    connections.tellDrains(socket);
    connections.fail(socket, NO_TUNNEL);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') connections.failIfLate(socket, unreadable(error.code));
    else connections.fail(socket, unreadable(error.code));
  });
  return { server, incomplete: () => connections.incomplete(), close: async () => connections.close() };
}

const serverOptions = (limits: EdgeLimits): ServerOptions => ({
  headersTimeout: limits.headersTimeout,
  // Node's own limit ends a request that has not come as a whole; ours is stricter, and knows how much has come.
  requestTimeout: limits.headersTimeout + bodyTimeFor(limits, Math.max(limits.maxBodyBytes, limits.maxMultipartBytes)),
  connectionsCheckingInterval: Math.min(TIME_LIMIT_CHECKS, limits.headersTimeout),
  keepAliveTimeout: limits.keepAliveTimeout,
  maxHeaderSize: limits.maxHeaderBytes,
  // Node would answer without a body.
  requireHostHeader: false,
  noDelay: true,
});

/** Looks as long as the server listens. */
function watchPace(server: Server, { bodyTimeout }: EdgeLimits, look: () => void): void {
  const timer = setInterval(look, Math.min(TIME_LIMIT_CHECKS, bodyTimeout));
  timer.unref();
  server.once('close', () => {
    clearInterval(timer);
  });
}

/** Who is refused has not been told to go on, and sends nothing (RFC 9110 section 10.1.1). */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  req.once('resume', () => {
    if (!res.headersSent) res.writeContinue();
  });
}

/**
 * Nobody is upgraded. But what came in one packet with the request Node's parser takes for the other protocol, and drops it:
 * a request in there would never be answered, and answers would be taken for those of other requests.
 */
function leaveAfterUpgrade(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.upgrade !== undefined) res.shouldKeepAlive = false;
}

const NO_TUNNEL: Refusal = {
  status: 405,
  code: 'method_not_allowed',
  message: 'this is no proxy: CONNECT is not allowed',
  close: true,
};
