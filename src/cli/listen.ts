import { once } from 'node:events';
import { BlockList, isIPv4, type Server } from 'node:net';

/** Resolves when the server listens, or with one sentence that says why it cannot. `flags`: with what to choose another place. */
export async function listen(
  server: Server,
  { host, port, flags }: { readonly host: string; readonly port: number; readonly flags: string },
): Promise<string | undefined> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `cannot listen on ${host}, port ${port} (${reason}). Choose another with ${flags}.`;
  }
}

/** Where a server that listens is reached. */
export function urlOf(server: Pick<Server, 'address'>): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no address');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether a server that listens is reached from this machine only. */
export function isLocal(server: Pick<Server, 'address'>): boolean {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no address');
  return LOOPBACK.check(address.address, isIPv4(address.address) ? 'ipv4' : 'ipv6');
}
