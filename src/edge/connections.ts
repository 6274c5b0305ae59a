import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import net, { type Socket } from 'node:net';
import { AddressCounts } from './address-counts.ts';
import { clientAddress, countedAddress, plainAddress, type IsTrustedProxy } from './client-address.ts';
import type { EdgeLimits } from './limits.ts';
import { rawRefusal, refuse, type Refusal } from './refusal.ts';
import { TOO_MANY_CONNECTIONS, TurnAway } from './turn-away.ts';

/** A connection of a client. */
interface Connection {
  readonly peer: string;
  /** Its peer is a trusted proxy: not its connections are counted, but its clients' requests. */
  readonly isProxy: boolean;
  /** Requests that it carries. */
  requests: number;
  /** The request whose head came last, until all have ended. */
  last: { readonly req: IncomingMessage; readonly res: ServerResponse } | undefined;
  /** It cannot be read any more: what it is still told when its requests have ended, before it is closed. */
  lastWords: string | undefined;
}

/** A request, as far as it is known from its connection. */
export interface Arrival {
  /** The address that it comes from, by the word of trusted proxies. */
  readonly client: string;
  /** The trusted proxy that it came through; `undefined`: it came from somebody else. */
  readonly proxy: string | undefined;
  /** Why it is not served. */
  readonly problem: Refusal | undefined;
  /** Call when all of the answer is out, or the connection is gone. */
  readonly end: () => void;
}

/**
 * The connections of clients, and how many requests each carries. Node's own closing of idle connections takes one
 * whose answer is complete but not yet sent for idle, and cuts it.
 */
export class Connections {
  readonly #server: Server;
  readonly #limits: EdgeLimits;
  readonly #isTrusted: IsTrustedProxy;
  readonly #connections = new Map<Socket, Connection>();
  readonly #addresses: AddressCounts;
  readonly #turnAway = new TurnAway(rawRefusal(TOO_MANY_CONNECTIONS));
  #closing = false;

  constructor(server: Server, limits: EdgeLimits, isTrusted: IsTrustedProxy) {
    this.#server = server;
    this.#limits = limits;
    this.#isTrusted = isTrusted;
    this.#addresses = new AddressCounts(limits.maxConnectionsPerAddress);
    // Node's own listener makes a parser for each connection: only those that are let in get one.
    const admitted = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.#letIn(socket)) this.#turnAway.take(socket);
      else for (const listener of admitted) Reflect.apply(listener, server, [socket]);
    });
  }

  /** A request's head is complete. */
  begin(req: IncomingMessage, res: ServerResponse): Arrival {
    const { socket } = req;
    const connection = this.#connections.get(socket);
    // One that has closed meanwhile is not counted any more.
    if (connection === undefined) return { client: '', proxy: undefined, problem: undefined, end: () => undefined };
    connection.requests += 1;
    connection.last = { req, res };
    const { peer, isProxy } = connection;
    const client = isProxy ? clientAddress(peer, req.headers, this.#isTrusted) : peer;
    const counted = client === peer ? undefined : countedAddress(client);
    const isTaken = counted === undefined || this.#addresses.take(counted);
    return {
      client,
      proxy: isProxy ? peer : undefined,
      problem: isTaken ? undefined : TOO_MANY_REQUESTS,
      end: () => {
        if (isTaken && counted !== undefined) this.#addresses.give(counted);
        this.#end(socket, connection);
      },
    };
  }

  /**
   * What comes on a connection cannot be read, or does not come. A request that is not whole is answered so, and the requests
   * before it as if nothing had happened; then the connection is closed. `undefined`: there is nobody to tell any more.
   */
  fail(socket: Socket, refusal: Refusal | undefined): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || refusal === undefined) {
      socket.destroy();
      return;
    }
    if (connection.lastWords !== undefined) return;
    const { last, requests } = connection;
    const isInside = last !== undefined && !last.req.complete;
    connection.lastWords = isInside ? '' : rawRefusal(refusal);
    if (isInside && last.res.headersSent) socket.destroy();
    else if (isInside) refuse(last.res, refusal);
    else if (requests === 0) {
      socket.end(connection.lastWords);
      socket.destroySoon();
    }
  }

  /** Accepts nothing more, closes what is idle, and the rest when it becomes so. Resolves when all are closed. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => {
      // The HTTP server's own `close` would close idle connections its way. One that does not listen is closed already.
      net.Server.prototype.close.call(this.#server, () => {
        resolve();
      });
    });
    this.#turnAway.close();
    for (const [socket, { requests }] of this.#connections) if (requests === 0) socket.destroy();
    await closed;
  }

  #end(socket: Socket, connection: Connection): void {
    connection.requests -= 1;
    if (connection.requests > 0) return;
    connection.last = undefined;
    if (connection.lastWords !== undefined) socket.end(connection.lastWords);
    if (connection.lastWords !== undefined || this.#closing) socket.destroySoon();
  }

  /** False, and nothing counted: there are too many. */
  #letIn(socket: Socket): boolean {
    if (this.#connections.size >= this.#limits.maxConnections) return false;
    const peer = socket.remoteAddress === undefined ? '' : plainAddress(socket.remoteAddress);
    const isProxy = this.#isTrusted(peer);
    const counted = countedAddress(peer);
    if (!isProxy && !this.#addresses.take(counted)) return false;
    this.#connections.set(socket, { peer, isProxy, requests: 0, last: undefined, lastWords: undefined });
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (!isProxy) this.#addresses.give(counted);
    });
    return true;
  }
}

/** The connection is the proxy's: other clients need it. */
const TOO_MANY_REQUESTS: Refusal = {
  ...TOO_MANY_CONNECTIONS,
  message: 'there are too many requests from this address at once',
  close: false,
};
