import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports given out and not yet handed back: the kernel may offer the same one twice between our close and the child's bind. */
const taken = new Set<number>();

/** A port on 127.0.0.1 that nothing listened on a moment ago. Hand it back with `releasePort` when its child is gone. */
export async function takeFreePort(): Promise<number> {
  for (;;) {
    const port = await offeredPort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

export function releasePort(port: number): void {
  taken.delete(port);
}

async function offeredPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('listening on 127.0.0.1 gave no port');
  return address.port;
}
