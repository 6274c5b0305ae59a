import { once } from 'node:events';
import net from 'node:net';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { portOf, replicaAt } from '../../src/testing/http-kit.ts';
import type { ReadyReplica } from '../../src/routing/route.ts';
import type { Cleanup } from '../support/temp-folder.ts';

/** The only way in which a request may come: the edge writes each of them anew. */
const REQUEST =
  /^POST \/secret\/completion(?:\?[!-~]*)? HTTP\/1\.1\r\nhost: [\w.:]+\r\n(?:[\w-]+: [\t -~\u0080-\u00ff]*\r\n)*\r\n/;

/** A model that knows one way to read HTTP, counts, and sends each request's number and body back. */
export interface StrictStub {
  readonly replica: ReadyReplica;
  /** Requests so far. */
  readonly count: number;
  /** Bytes that were no request of the one form. */
  readonly misread: readonly string[];
}

/** What the model's answer says of the request that it has got. */
const EchoSchema = Type.Object({ number: Type.Integer(), target: Type.String(), body: Type.String() });
export type Echo = Type.Static<typeof EchoSchema>;

/** `undefined`: it is not the model that has answered. */
export function readEcho(answer: string): Echo | undefined {
  const value: unknown = answer === '' ? undefined : JSON.parse(answer);
  return Value.Check(EchoSchema, value) ? value : undefined;
}

export async function startStrictStub(t: Cleanup): Promise<StrictStub> {
  let count = 0;
  const misread: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    let received = '';
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      for (;;) {
        const length = lengthOfFirst(received);
        if (length === undefined) return;
        if (length === 'wrong') {
          misread.push(received);
          socket.destroy();
          return;
        }
        count += 1;
        socket.write(answerTo(count, received.slice(0, length)), 'latin1');
        received = received.slice(length);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    replica: replicaAt('r1', portOf(server)),
    misread,
    get count() {
      return count;
    },
  };
}

/** `undefined`: it is not there to its end. */
function lengthOfFirst(text: string): number | 'wrong' | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end + 4);
  const lengths = [...head.matchAll(/^(?:content-length|transfer-encoding): (.*)\r$/gim)];
  const [first, ...more] = lengths.map(([, value]) => value);
  if (!REQUEST.test(head) || first === undefined || !/^\d+$/.test(first) || more.length > 0) return 'wrong';
  const length = head.length + Number(first);
  return text.length < length ? undefined : length;
}

function answerTo(number: number, request: string): string {
  const [, target] = request.split(' ', 2);
  const body = JSON.stringify({ number, target, body: request.slice(request.indexOf('\r\n\r\n') + 4) });
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
