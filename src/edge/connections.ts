import net, { type Server, type Socket } from 'node:net';

/**
 * The connections of clients, and how many requests each carries. Node's own closing of idle connections takes one
 * whose answer is complete but not yet sent for idle, and cuts it.
 */
export class Connections {
  readonly #server: Server;
  readonly #requests = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
    });
  }

  begin(socket: Socket): void {
    this.#add(socket, 1);
  }

  /** All of the answer is out, or the connection is gone. */
  end(socket: Socket): void {
    this.#add(socket, -1);
    if (this.#closing && this.#requests.get(socket) === 0) socket.destroySoon();
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
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
    await closed;
  }

  /** A connection that has closed meanwhile is not counted any more. */
  #add(socket: Socket, change: 1 | -1): void {
    const requests = this.#requests.get(socket);
    if (requests !== undefined) this.#requests.set(socket, requests + change);
  }
}
