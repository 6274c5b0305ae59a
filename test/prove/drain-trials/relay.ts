import { once } from 'node:events';
import net from 'node:net';
import { portOf } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** How a way is cut: nothing comes through any more, or every connection is closed and refused. */
export const CUTS = ['stalled', 'closed'] as const;
export type Cut = (typeof CUTS)[number];

/** A way from a program to a server, byte for byte, which can be cut. */
export class Relay {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  #cut: Cut | undefined;

  constructor(t: Cleanup, target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = net.createServer((socket) => {
      this.#join(socket);
    });
    t.after(async () => {
      this.#destroyAll();
      this.#server.close();
      return Promise.resolve();
    });
  }

  /** Resolves with the port of this machine's loopback at which the way begins. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return portOf(this.#server);
  }

  cut(how: Cut): void {
    this.#cut = how;
    if (how === 'closed') this.#destroyAll();
    else for (const socket of this.#sockets) socket.pause();
  }

  /** What was held back comes through now. */
  mend(): void {
    this.#cut = undefined;
    for (const socket of this.#sockets) socket.resume();
  }

  #join(near: net.Socket): void {
    if (this.#cut === 'closed') {
      near.destroy();
      return;
    }
    const far = net.connect(this.#target);
    this.#pass(near, far);
    this.#pass(far, near);
    if (this.#cut === 'stalled') for (const socket of [near, far]) socket.pause();
  }

  #pass(from: net.Socket, to: net.Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true).on('data', (part) => to.write(part));
    from.on('error', () => undefined);
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }

  #destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
