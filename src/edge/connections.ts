import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import net, { type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AddressCounts } from './address-counts.ts';
import { clientAddress, countedAddress, plainAddress, type IsTrustedProxy } from './client-address.ts';
import type { Instant } from '../domain/units.ts';
import { ownAnswerOf } from './edge-response.ts';
import type { EdgeLimits } from './limits.ts';
import { LINGER, linger } from './linger.ts';
import { rawRefusal, refuse, type Refusal } from './refusal.ts';
import { SlowLane } from './slow-lane.ts';
import { TOO_MANY_CONNECTIONS, TurnAway } from './turn-away.ts';

/** A request whose head is complete. */
interface Turn {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly serve: (arrival: Arrival) => void;
}

/** A connection of a client. */
interface Connection {
  readonly socket: Socket;
  readonly peer: string;
  /** Its peer is a trusted proxy: not its connections are counted, but its clients' requests. */
  readonly isProxy: boolean;
  /** The request that is served. */
  current: Turn | undefined;
  /** When its turn began. */
  began: Instant;
  /** What the connection had brought by then. */
  bytesBefore: number;
  /** Those that came before its answer was out, in their order. */
  behind: Turn[];
  /** No further request is taken, since an answer has ended the connection, or will. */
  isLast: boolean;
  /** Requests that came all the same. */
  passedOver: number;
  /** It cannot be read any more: what it is still told when its requests have ended, before it is closed. */
  lastWords: string | undefined;
}

/** A request that is served. */
export interface Served extends Pick<Turn, 'req' | 'res'> {
  readonly began: Instant;
  /** Bytes that its connection had brought when its turn began: its head, and what came along with that. */
  readonly bytesBefore: number;
}

/** Requests that may come before the answer to the one that is served; what comes after them is not answered. */
const MOST_BEHIND = 16;

/**
 * So many more are passed over. Nobody who waits for answers sends them, and Node keeps each until the connection ends: a client that does not
 * stop there is cut off, before it has filled the memory.
 */
const MOST_PASSED_OVER = 256;

/** A request, as far as it is known from its connection. */
export interface Arrival {
  /** The address that it comes from, by the word of trusted proxies. */
  readonly client: string;
  /** The trusted proxy that it came through; `undefined`: it came from somebody else. */
  readonly proxy: string | undefined;
  /** When its turn began. */
  readonly began: Instant;
  /** Why it is not served. */
  readonly problem: Refusal | undefined;
  /** Call when all of the answer is out, or the connection is gone. */
  readonly end: () => void;
}

export interface ConnectionsOptions {
  readonly server: Server;
  readonly limits: EdgeLimits;
  readonly isTrustedProxy: IsTrustedProxy;
  readonly now: () => Instant;
}

/**
 * The connections of clients, and the requests that each carries. Node's own closing of idle connections takes one
 * whose answer is complete but not yet sent for idle, and cuts it.
 */
export class Connections {
  readonly #server: Server;
  readonly #limits: EdgeLimits;
  readonly #isTrusted: IsTrustedProxy;
  readonly #now: () => Instant;
  readonly #connections = new Map<Socket, Connection>();
  readonly #addresses: AddressCounts;
  /** For those who are refused again and again. */
  readonly #slowLane: SlowLane;
  readonly #turnAway = new TurnAway(rawRefusal(TOO_MANY_CONNECTIONS));
  #closing = false;

  constructor({ server, limits, isTrustedProxy, now }: ConnectionsOptions) {
    this.#server = server;
    this.#limits = limits;
    this.#isTrusted = isTrustedProxy;
    this.#now = now;
    this.#slowLane = new SlowLane(now);
    this.#addresses = new AddressCounts(limits.maxConnectionsPerAddress);
    // Node's own listener makes a parser for each connection: only those that are let in get one.
    const admitted = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.#letIn(socket)) this.#turnAway.take(socket);
      else for (const listener of admitted) Reflect.apply(listener, server, [socket]);
    });
  }

  /**
   * A request's head is complete: it is served when it is its turn. One at a time of each connection: behind an answer that
   * ends the connection nothing may be served, since nobody would get its answer, and what was taken for a request behind one
   * that is refused may have been a part of that.
   */
  take(turn: Turn): void {
    const connection = this.#connections.get(turn.req.socket);
    if (connection === undefined) return;
    if (connection.isLast) {
      connection.passedOver += 1;
      if (connection.passedOver > MOST_PASSED_OVER) connection.socket.destroy();
      return;
    }
    if (connection.current === undefined) {
      this.#begin(connection, turn);
      return;
    }
    connection.behind.push(turn);
    if (connection.behind.length < MOST_BEHIND) return;
    turn.res.shouldKeepAlive = false;
    connection.isLast = true;
  }

  #begin(connection: Connection, turn: Turn): void {
    connection.current = turn;
    connection.began = this.#now();
    connection.bytesBefore = connection.socket.bytesRead;
    const { peer, isProxy } = connection;
    const client = isProxy ? clientAddress(peer, turn.req.headers, this.#isTrusted) : peer;
    const counted = client === peer ? undefined : countedAddress(client);
    const isTaken = counted === undefined || this.#addresses.take(counted);
    turn.serve({
      client,
      proxy: isProxy ? peer : undefined,
      began: connection.began,
      problem: isTaken ? undefined : TOO_MANY_REQUESTS,
      end: () => {
        if (isTaken && counted !== undefined) this.#addresses.give(counted);
        this.#end(connection, turn);
      },
    });
  }

  /**
   * Those that are served now and have not come whole. Found here when somebody asks, since a set of them, changed by every
   * request, makes garbage that lives long: V8 links a set's tables from old to new, with all that they have held.
   */
  *incomplete(): Iterable<Served> {
    for (const { current, began, bytesBefore } of this.#connections.values()) {
      if (current?.req.complete === false) yield { req: current.req, res: current.res, began, bytesBefore };
    }
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
    // It is being closed already.
    if (connection.lastWords !== undefined || !socket.writable) return;
    const { current, behind } = connection;
    const isInside = current?.req.complete === false;
    connection.lastWords = isInside ? '' : rawRefusal(refusal);
    connection.behind = behind.filter(({ req }) => req.complete);
    // What is refused already has its answer, which goes out whole.
    if (isInside && current.res.headersSent && !current.res.writableEnded) socket.destroy();
    else if (isInside) refuse(current.res, refusal);
    else if (current === undefined) endWith(socket, connection.lastWords);
  }

  /**
   * A request has not come in time, says a timer of Node's. After a pause of the whole process that fires before anything is read that has
   * come meanwhile: who has brought something by the end of this turn has as long again for the rest.
   */
  failIfLate(socket: Socket, refusal: Refusal | undefined): void {
    const brought = socket.bytesRead;
    const lastRequest = this.#connections.get(socket)?.bytesBefore;
    setImmediate(() => {
      if (socket.bytesRead === brought) {
        this.fail(socket, refusal);
        return;
      }
      setTimeout(() => {
        const hasCome = this.#connections.get(socket)?.bytesBefore !== lastRequest;
        if (!hasCome) this.fail(socket, refusal);
      }, this.#limits.headersTimeout).unref();
    });
  }

  /** What follows on a connection is no HTTP for Node, which lets go of it: it tells no answer any more that it may go on. */
  tellDrains(socket: Socket): void {
    const connection = this.#connections.get(socket);
    socket.on('drain', () => connection?.current?.res.emit('drain'));
  }

  /**
   * Accepts nothing more, closes what is idle, and the rest when it becomes so. Resolves when all are closed. Those that are ended and not
   * closed yet have their bounds.
   */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => {
      // The HTTP server's own `close` would close idle connections its way. One that does not listen is closed already.
      net.Server.prototype.close.call(this.#server, () => {
        resolve();
      });
    });
    this.#turnAway.close();
    const unread = new Set(this.#slowLane.close());
    this.#closeIdle((socket) => !unread.has(socket));
    // What they have sent meanwhile is no idle connection: by the end of the next turn it is read.
    await nextTurn();
    await nextTurn();
    this.#closeIdle((socket) => unread.has(socket));
    await closed;
  }

  #closeIdle(isMeant: (socket: Socket) => boolean): void {
    for (const [socket, { current }] of this.#connections)
      if (current === undefined && socket.writable && isMeant(socket)) socket.destroy();
  }

  #end(connection: Connection, { res }: Turn): void {
    const { socket, behind, lastWords } = connection;
    connection.current = undefined;
    if (socket.destroyed || !res.shouldKeepAlive) {
      connection.isLast = true;
      behind.length = 0;
    }
    const next = behind.shift();
    if (next !== undefined) this.#begin(connection, next);
    else if (lastWords !== undefined) endWith(socket, lastWords);
    else if (this.#closing && socket.writable) socket.destroySoon();
    else if (!connection.isLast && ownAnswerOf(res)?.code !== undefined) this.#slowLane.add(socket);
  }

  /** False, and nothing counted: there are too many. */
  #letIn(socket: Socket): boolean {
    if (this.#connections.size >= this.#limits.maxConnections) return false;
    const peer = socket.remoteAddress === undefined ? '' : plainAddress(socket.remoteAddress);
    const isProxy = this.#isTrusted(peer);
    const counted = countedAddress(peer);
    if (!isProxy && !this.#addresses.take(counted)) return false;
    const connection: Connection = {
      socket,
      peer,
      isProxy,
      current: undefined,
      began: this.#now(),
      bytesBefore: 0,
      behind: [],
      isLast: false,
      passedOver: 0,
      lastWords: undefined,
    };
    this.#connections.set(socket, connection);
    closeBehindBody(connection);
    // Who ends the connection has left, and waits for no answer: also where something is begun behind the request, which Node takes for an error.
    socket.once('end', () => {
      if (connection.current?.req.complete === true) socket.end();
    });
    // Node takes its own listener away when it tells of a client's error; a second one must not end the process.
    socket.on('error', ignore);
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (!isProxy) this.#addresses.give(counted);
    });
    return true;
  }
}

const ignore = (): void => undefined;

/** One that cannot be written to any more is being closed. */
function endWith(socket: Socket, words: string): void {
  if (socket.writable) linger(socket, LINGER, undefined, words);
}

/** Node calls this when the answer is out that ends a connection, also where the body of its request is still on the way. */
function closeBehindBody(connection: Connection): void {
  const { socket } = connection;
  socket.destroySoon = () => {
    const req = connection.current?.req;
    if (req?.complete === false && socket.writable) linger(socket, LINGER, req, '');
    else net.Socket.prototype.destroySoon.call(socket);
  };
}

/** The connection is the proxy's: other clients need it. */
const TOO_MANY_REQUESTS: Refusal = {
  ...TOO_MANY_CONNECTIONS,
  message: 'there are too many requests from this address at once',
  close: false,
};
