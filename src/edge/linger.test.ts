import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { milliseconds } from '../domain/units.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chatBody, exchangeRaw, portOf, startStub, type Target } from '../testing/http-kit.ts';
import { LINGER, linger } from './linger.ts';

const MIB = 1024 * 1024;
/** Two rounds: whoever sends nothing is closed within. */
const QUIET = 2 * LINGER.quietLooks * LINGER.interval;
const post = (path: string, ...lines: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, 'Host: x', ...lines].join('\r\n')}\r\n\r\n`;
const TOO_LARGE = post('/completion', 'Content-Length: 40000000');

/** A client that ends its side only when it is told to. */
function connect(t: TestContext, { port }: Target): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  return socket;
}

/** What comes until the other side ends. */
async function untilEnd(socket: net.Socket): Promise<string> {
  let got = '';
  socket.setEncoding('latin1').on('data', (part: string) => (got += part));
  await once(socket, 'end');
  return got;
}

/** Sends 8 MiB behind a head, when `afterHead` is done, looks at nothing before that, and resolves with all that the server had to say. */
async function sendBlindly(
  t: TestContext,
  bed: Target,
  head: string,
  afterHead = async (): Promise<void> => Promise.resolve(),
): Promise<string> {
  const socket = connect(t, bed);
  socket.on('error', () => undefined).write(head);
  await afterHead();
  await new Promise<void>((resolve, reject) => {
    socket.write('x'.repeat(8 * MIB), (error) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
  const got = await untilEnd(socket);
  socket.destroy();
  return got;
}

for (const [what, head, whole] of [
  ['413', TOO_LARGE, /^HTTP\/1\.1 413 [^]*"code":"body_too_large"\}\}$/],
  ['404', post('/nothing', 'Content-Length: 40000000'), /^HTTP\/1\.1 404 [^]*"code":"not_found"\}\}$/],
  ['400, at the door', post('/completion', 'Transfer-Encoding: x'), /^HTTP\/1\.1 400 [^]*"code":"bad_request"\}\}$/],
  ['400, since it is no HTTP', 'NOT HTTP\r\n\r\n', /^HTTP\/1\.1 400 [^]*"code":"bad_request"\}\}$/],
] as const) {
  test(`a client that sends on without looking gets its answer whole, and its end: ${what}`, async (t) => {
    const bed = await startEdge(t);
    for (let tries = 0; tries < 20; tries += 1) assert.match(await sendBlindly(t, bed, head), whole);
  });
}

/** A client that has its answer, sends on, and does not end; with its socket at the server. */
async function lingering(t: TestContext, bed: EdgeBed, head = TOO_LARGE) {
  const arrived = once(bed.edge.server, 'connection') as Promise<[net.Socket]>;
  const client = connect(t, bed);
  client.on('error', () => undefined).write(head);
  const got = await untilEnd(client);
  return { client, got, served: (await arrived)[0] };
}

/** Sends a text, and resolves when the server has taken it, or will not. */
async function drip(client: net.Socket, served: net.Socket, words = 'x'): Promise<void> {
  const all = served.bytesRead + words.length;
  client.write(words);
  while (!served.destroyed && served.bytesRead < all) await nextTurn();
}

test('who sends a byte now and then is closed with the last look', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { client, served } = await lingering(t, await startEdge(t));
  for (let looks = 1; looks < LINGER.mostLooks; looks += 1) {
    await drip(client, served);
    t.mock.timers.tick(LINGER.interval);
    assert.ok(!served.destroyed);
  }
  await drip(client, served);
  t.mock.timers.tick(LINGER.interval);
  assert.ok(served.destroyed);
});

for (const head of [TOO_LARGE, 'NOT HTTP\r\n\r\n']) {
  test(`who sends nothing more is closed before that: ${JSON.stringify(head.slice(0, 16))}`, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { served } = await lingering(t, await startEdge(t), head);
    t.mock.timers.tick(QUIET);
    assert.ok(served.destroyed);
  });
}

test('who sends more than may be thrown away is closed', { timeout: 60_000 }, async (t) => {
  const bounds = { interval: milliseconds(1), quietLooks: Infinity, mostLooks: Infinity, mostBytes: MIB };
  const server = http.createServer((req, res) => {
    // As Node calls it when the answer is out: it pushes nothing of the body any more.
    req.socket.destroySoon = () => {
      linger(req.socket, bounds, req, '');
    };
    res.writeHead(404, { connection: 'close' }).end();
  });
  t.after(() => server.close());
  const arrived = once(server.listen(0, '127.0.0.1'), 'connection') as Promise<[net.Socket]>;
  await once(server, 'listening');
  const client = connect(t, { port: portOf(server) });
  client.on('error', () => undefined).write(TOO_LARGE);
  const [served] = await arrived;
  const closed = once(served, 'close');
  client.write('x'.repeat(16 * MIB));
  await closed;
});

test('when the body that was not wanted has come to its end the connection is closed, and nothing behind it is served', async (t) => {
  const bed = await startEdge(t);
  let requests = 0;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    requests += 1;
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const { client, got, served } = await lingering(t, bed, post('/nothing', 'Transfer-Encoding: chunked'));
  assert.match(got, /^HTTP\/1\.1 404 /);
  const body = chatBody('a');
  await drip(client, served, `1\r\nx\r\n0\r\n\r\n${post('/completion', `Content-Length: ${body.length}`)}${body}`);
  await nextTurn();
  assert.ok(served.destroyed);
  assert.equal((await ask(bed, { body })).status, 200);
  await bed.ended(2);
  assert.deepEqual([requests, bed.records.length], [1, 2]);
});

test(
  'whose time is over before the body has come whole gets the answer whole, and its end',
  { timeout: 20_000 },
  async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const bed = await startEdge(t, { limits: { requestTimeout: milliseconds(1000) } });
    const arrived = once(bed.edge.server, 'request') as Promise<[http.IncomingMessage]>;
    const head = post('/completion', `Content-Length: ${8 * MIB}`);
    const sent = sendBlindly(t, bed, head, async () => {
      await arrived;
      t.mock.timers.tick(1000);
      await bed.ended(1);
    });
    assert.match(await sent, /^HTTP\/1\.1 504 [^]*\r\nconnection: close\r\n[^]*"code":"request_timeout"\}\}$/i);
    bed.assertIdle();
  },
);

test('it is one of the connections until it is closed', async (t) => {
  const bed = await startEdge(t, { limits: { maxConnections: 1 } });
  const { client, served } = await lingering(t, bed);
  assert.match(
    await exchangeRaw(bed, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'),
    /^HTTP\/1\.1 503 [^]*too_many_connections/,
  );
  const closed = once(served, 'close');
  client.end();
  await closed;
  assert.equal((await ask(bed, { method: 'GET', path: '/health' })).status, 200);
});

test('a shutdown cuts none off, and waits for none longer than its bounds', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const bed = await startEdge(t);
  const { served: before } = await lingering(t, bed);
  const arrived = once(bed.edge.server, 'request') as Promise<[http.IncomingMessage]>;
  const waiting = connect(t, bed);
  waiting.write(post('/completion', 'Content-Length: 100'));
  const [{ socket: during }] = await arrived;
  const shutdown = bed.edge.shutdown();
  assert.match(await untilEnd(waiting), /^HTTP\/1\.1 503 [^]*shutting_down/);
  assert.deepEqual([before.destroyed, during.destroyed], [false, false]);
  t.mock.timers.tick(QUIET);
  await shutdown;
});
