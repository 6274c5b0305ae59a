import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import type { ReadyReplica } from '../routing/route.ts';

/** Where requests go. */
export interface Target {
  readonly port: number;
}

export const portOf = (server: net.Server): number => {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
};

/** A replica's place in a route, at a stub's port. */
export const replicaAt = (id: string, port: number): ReadyReplica => ({
  id: replicaId(id),
  endpoint: { origin: `http://127.0.0.1:${port}`, prefix: '/secret' },
});

/** A port that nobody listens at. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A stand-in for a llama-server, over raw sockets, so that it can break at any byte. */
export interface StubReplica {
  readonly port: number;
  readonly replica: ReadyReplica;
  /** The sockets of all connections, open and closed, in the order they came. */
  readonly sockets: readonly net.Socket[];
  stop(): Promise<void>;
}

/** `serve` gets each request, whole, and its socket. */
export async function startStub(
  t: TestContext,
  id: string,
  serve: (request: string, socket: net.Socket) => void,
): Promise<StubReplica> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      received += text;
      const length = wholeRequest(received);
      if (length === undefined) return;
      const request = received.slice(0, length);
      received = received.slice(length);
      serve(request, socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.after(stop);
  return { port, replica: replicaAt(id, port), sockets, stop };
}

/** The length of the first request in `text`, once it is there to its last byte. */
function wholeRequest(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const announced = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1];
  const length = head + 4 + Number(announced ?? 0);
  return text.length < length ? undefined : length;
}

export const answer = (body: string, type = 'application/json'): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

export const STREAM_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
export const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
export const LAST_CHUNK = '0\r\n\r\n';

/** What a client got. `broken`: the connection ended before the answer did. */
export interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly broken: boolean;
}

export interface AskOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer | undefined;
  readonly agent?: http.Agent;
}

/** Sends one request; the caller may watch or destroy it. */
export function send(bed: Target, options: AskOptions): http.ClientRequest {
  const { method = 'POST', path = '/v1/chat/completions', headers = {}, body, agent } = options;
  const request = http.request({ host: '127.0.0.1', port: bed.port, method, path, headers, agent: agent ?? false });
  request.end(body);
  return request;
}

/** The head of an answer, and its body as it comes. */
export const headOf = async (request: http.ClientRequest): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });

/** An answer that is read as it comes. */
export interface Reading {
  /** Resolves when this text has come, or the answer has ended. */
  readonly until: (text: string) => Promise<void>;
  readonly whole: Promise<Got>;
}

/** Begins to read the answer to a request. */
export function readAnswer(request: http.ClientRequest): Reading {
  const progress = new EventEmitter();
  let text = '';
  let isOver = false;
  const read = async (): Promise<Got> => {
    const response = await headOf(request);
    response.setEncoding('utf8');
    try {
      for await (const part of response) {
        text += String(part);
        progress.emit('more');
      }
    } catch {
      // Told by `complete`.
    }
    return { status: response.statusCode ?? 0, headers: response.headers, text, broken: !response.complete };
  };
  const whole = read().finally(() => {
    isOver = true;
    progress.emit('more');
  });
  return {
    until: async (part) => {
      while (!isOver && !text.includes(part)) await once(progress, 'more');
    },
    whole,
  };
}

export const answerTo = async (request: http.ClientRequest): Promise<Got> => readAnswer(request).whole;

export const ask = async (bed: Target, options: AskOptions): Promise<Got> => answerTo(send(bed, options));

export const chatBody = (model: string): string => JSON.stringify({ messages: [], model });

export const chat = async (bed: Target, model: string): Promise<Got> => ask(bed, { body: chatBody(model) });

/** The error object of an answer. */
export function errorOf({ text }: Got): ReadonlyMap<string, unknown> {
  const body: unknown = JSON.parse(text);
  assert.ok(typeof body === 'object' && body !== null && 'error' in body);
  assert.ok(typeof body.error === 'object' && body.error !== null);
  return new Map(Object.entries(body.error));
}

/** Writes raw bytes and returns all that comes back until the connection ends. */
export async function exchangeRaw(bed: Target, text: string): Promise<string> {
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.setEncoding('latin1');
  let got = '';
  socket.on('data', (part: string) => (got += part));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return got;
}

/** Writes one piece after the other, up to `limit` bytes, as fast as the other side takes them. */
export function pour(socket: net.Socket, piece: string, limit: number): () => number {
  let written = 0;
  const go = (): void => {
    while (written < limit && !socket.destroyed) {
      written += piece.length;
      if (socket.write(piece)) continue;
      socket.once('drain', go);
      return;
    }
  };
  go();
  return () => written;
}

/** Resolves when nothing more has moved towards a client for many turns of the loop, or all is written. */
export async function stalled(written: () => number, limit: number): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 500 && written() < limit; quiet += 1) {
    if (written() !== before) quiet = 0;
    before = written();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
