import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { portOf } from './http-kit.ts';
import type { TestAuthority } from './test-authorities.ts';

/** A TLS server in front of one that speaks without: each connection is passed on. It ends with the test. */
export interface TlsFront {
  readonly url: URL;
  /** From now on new connections are shown this certificate. */
  present(authority: TestAuthority): void;
  /** Ends all connections. Resolves when the clients have noticed, so that none sends anything into one of them. */
  endAll(): Promise<void>;
}

export async function startTlsFront(t: TestContext, behind: string, authority: TestAuthority): Promise<TlsFront> {
  const open = new Set<Socket>();
  const server = createServer({ cert: authority.cert, key: authority.key }, (secured) => {
    open.add(secured);
    passOn(secured, connect(Number(new URL(behind).port), '127.0.0.1'));
    secured.once('close', () => open.delete(secured));
  });
  // What a client says who does not trust it.
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    url: new URL(`https://127.0.0.1:${portOf(server)}`),
    present: ({ cert, key }) => {
      server.setSecureContext({ cert, key });
    },
    endAll: async () => {
      // Our client answers by a reset, which is an error here and no fault.
      await Promise.all([...open].map(async (socket) => new Promise((resolve) => socket.once('close', resolve).end())));
    },
  };
}

/** A side that ends takes the other one along. */
function passOn(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    // prettier-ignore
    from.on('error', () => undefined).once('close', () => to.destroy());
    from.pipe(to, { end: false });
  }
}
