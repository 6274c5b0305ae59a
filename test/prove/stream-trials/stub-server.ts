import { once } from 'node:events';
import net from 'node:net';
import { portOf } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** A stand-in for a llama-server over raw sockets, so that it can break at any byte. */
export interface StubServer {
  readonly port: number;
  /** Requests that have come whole. */
  requests: number;
  /** Called with each of them. */
  serve: (socket: net.Socket, request: string) => void;
}

export async function startStubServer(t: Cleanup): Promise<StubServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let received = '';
    socket.setEncoding('latin1').setNoDelay(true);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    socket.on('data', (text: string) => {
      received += text;
      for (let length = wholeRequest(received); length !== undefined; length = wholeRequest(received)) {
        const request = received.slice(0, length);
        received = received.slice(length);
        stub.requests += 1;
        stub.serve(socket, request);
      }
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 });
  await once(server, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const stub: StubServer = { port: portOf(server), requests: 0, serve: () => undefined };
  return stub;
}

function wholeRequest(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const announced = /^content-length: (\d+)/imu.exec(text.slice(0, head))?.[1];
  const length = head + 4 + (announced === undefined ? 0 : Number(announced));
  return text.length < length ? undefined : length;
}
