import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { urlOf } from '../../../src/cli/listen.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** Stands between an API server and etcd. Frozen, it lets nothing through, and nobody notices: the API server knows what it knew. */
export class EtcdRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isFrozen = false;

  private constructor(etcd: URL) {
    this.#server = createServer((near) => {
      const far = connect(Number(etcd.port), etcd.hostname);
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  /** Resolves with it and its URL. */
  static async start(t: Cleanup, etcd: string): Promise<{ readonly relay: EtcdRelay; readonly url: string }> {
    const relay = new EtcdRelay(new URL(etcd));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    t.after(async () => {
      relay.#server.close();
      for (const socket of relay.#sockets) socket.destroy();
      return Promise.resolve();
    });
    return { relay, url: urlOf(relay.#server) };
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was held up goes on, in its order. */
  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** What comes from one goes to the other. */
  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (piece) => to.write(piece));
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isFrozen) from.pause();
  }
}
