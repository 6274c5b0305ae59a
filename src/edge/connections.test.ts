import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { milliseconds } from '../domain/units.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chatBody, errorOf, exchangeRaw, pour, startStub } from '../testing/http-kit.ts';

const HEALTH = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const LAST_HEALTH = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

/** A connection that has been answered, and stays. */
async function keptConnection(t: TestContext, bed: EdgeBed): Promise<net.Socket> {
  const socket = net.connect(bed.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(HEALTH);
  await once(socket, 'data');
  return socket;
}

for (const limit of ['maxConnections', 'maxConnectionsPerAddress'] as const) {
  test(`beyond ${limit} a connection is answered 503 and closed, and its place comes back`, async (t) => {
    const bed = await startEdge(t, { limits: { [limit]: 2 } });
    const [first] = [await keptConnection(t, bed), await keptConnection(t, bed)];
    const got = await exchangeRaw(bed, HEALTH);
    assert.match(got, /^HTTP\/1\.1 503 [^]*retry-after: 1\r\n[^]*connection: close[^]*"too_many_connections"/i);
    const gone = once(bed.edge.server, 'connection');
    first.destroy();
    await closedBy(bed, 1);
    assert.match(await exchangeRaw(bed, LAST_HEALTH), /^HTTP\/1\.1 200 /);
    await gone;
  });
}

/** Resolves when the server has no more than so many connections. */
async function closedBy(bed: EdgeBed, most: number): Promise<void> {
  for (;;) {
    const count = await new Promise<number>((resolve, reject) => {
      bed.edge.server.getConnections((error, connections) => {
        if (error === null) resolve(connections);
        else reject(error);
      });
    });
    if (count <= most) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a connection that is turned away and says nothing is closed', async (t) => {
  const bed = await startEdge(t, { limits: { maxConnections: 1 } });
  await keptConnection(t, bed);
  const silent = net.connect(bed.port, '127.0.0.1');
  silent.resume();
  await once(silent, 'close');
});

test('connections that are turned away do not hold a shutdown up', async (t) => {
  const bed = await startEdge(t, { limits: { maxConnections: 1 } });
  await keptConnection(t, bed);
  const silent = net.connect(bed.port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(bed.edge.server, 'connection');
  await bed.edge.shutdown();
});

test('behind a trusted proxy the requests of each client are counted, not the connections of the proxy', async (t) => {
  const isTrustedProxy = (address: string): boolean => address === '127.0.0.1';
  const bed = await startEdge(t, { isTrustedProxy, limits: { maxConnectionsPerAddress: 1 } });
  bed.publish({ model: 'a' });
  const from = (address: string) => ({ body: chatBody('a'), headers: { 'x-forwarded-for': address } });
  const held = net.connect(bed.port, '127.0.0.1');
  const body = chatBody('a');
  held.write(
    `POST /completion HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await bed.held('uid-a', 1);
  const refused = await ask(bed, from('6.6.6.6, 1.1.1.1'));
  assert.deepEqual([refused.status, errorOf(refused).get('code')], [503, 'too_many_connections']);
  bed.publish();
  assert.equal((await ask(bed, from('2.2.2.2'))).status, 404);
  await once(held, 'data');
  await bed.ended(3);
  assert.equal((await ask(bed, from('1.1.1.1'))).status, 404);
  assert.deepEqual(
    bed.records.map(({ client, status }) => [client, status]),
    [
      ['1.1.1.1', 503],
      ['1.1.1.1', 404],
      ['2.2.2.2', 404],
      ['1.1.1.1', 404],
    ],
  );
  held.destroy();
});

test('what nobody but a trusted proxy may say of an address changes nothing', async (t) => {
  const bed = await startEdge(t, { limits: { maxConnectionsPerAddress: 1 } });
  await ask(bed, { method: 'GET', path: '/health', headers: { 'x-forwarded-for': '1.1.1.1' } });
  await bed.ended(1);
  assert.equal(bed.records[0]?.client, '127.0.0.1');
});

const GARBAGE = 'NOT HTTP\r\n\r\n';

test('what is no request is answered in the shape of every error, and the connection ends', async (t) => {
  const bed = await startEdge(t);
  for (const [text, status, code] of [
    [GARBAGE, 400, 'bad_request'],
    ['GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'bad_request'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'bad_request'],
    [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`, 431, 'head_too_large'],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(100)}\r\n`, 431, 'head_too_large'],
    ['CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
    ['GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n', 417, 'bad_request'],
    ['GET / HTTP/1.1\r\n\r\n', 400, 'bad_request'],
  ] as const) {
    const got = await exchangeRaw(bed, text);
    assert.ok(got.startsWith(`HTTP/1.1 ${status} `), got);
    assert.match(got, /^connection: close\r$/im);
    const body = JSON.parse(got.slice(got.indexOf('\r\n\r\n'))) as { error: { code: string } };
    assert.equal(body.error.code, code);
  }
});

test('a head of 100 lines is read', async (t) => {
  const bed = await startEdge(t);
  const text = `GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'A: b\r\n'.repeat(98)}\r\n`;
  assert.match(await exchangeRaw(bed, text), /^HTTP\/1\.1 200 /);
});

test('garbage behind a request is answered after it, and cuts nothing', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{"whole":"answer"}')));
  bed.publish({ model: 'a' });
  const body = chatBody('a');
  const request = `POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const got = exchangeRaw(bed, request + GARBAGE);
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.match(await got, /^HTTP\/1\.1 200 [^]*\{"whole":"answer"\}HTTP\/1\.1 400 [^]*"bad_request"[^]*$/);
  bed.assertIdle();
});

test('garbage within a body is answered 400 once, and nothing reaches a model', async (t) => {
  const bed = await startEdge(t);
  let requests = 0;
  const stub = await startStub(t, 'r1', () => (requests += 1));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const head = 'POST /completion HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const got = await exchangeRaw(bed, `${head}5\r\n{"mod\r\nXX\r\n`);
  assert.equal(got.match(/HTTP\/1\.1 4/g)?.length, 1);
  assert.match(got, /^HTTP\/1\.1 400 [^]*connection: close[^]*"bad_request"/i);
  assert.equal(requests, 0);
});

test('a head that does not come in time is answered 408', async (t) => {
  const bed = await startEdge(t, { limits: { headersTimeout: milliseconds(50) } });
  assert.match(await exchangeRaw(bed, 'GET /health HTT'), /^HTTP\/1\.1 408 [^]*"head_too_slow"/);
});

test('a request that wants another protocol is answered in this one, and its connection ends with it', async (t) => {
  const bed = await startEdge(t);
  const upgrade = 'GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n';
  const got = await exchangeRaw(bed, upgrade + HEALTH);
  assert.equal(got.match(/HTTP\/1\.1 200/g)?.length, 1);
  assert.match(got, /^connection: close\r$/im);
});

test('a client that waits to be told to go on is told so when its body is read, and not when it is refused', async (t) => {
  const bed = await startEdge(t, { limits: { maxBodyBytes: 100 } });
  const head = (path: string, length: number): string =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
  assert.match(await exchangeRaw(bed, head('/completion', 101)), /^HTTP\/1\.1 413 /);
  assert.match(await exchangeRaw(bed, head('/nothing', 10)), /^HTTP\/1\.1 404 /);
  const body = chatBody('b');
  const socket = net.connect(bed.port, '127.0.0.1').setEncoding('latin1');
  socket.write(head('/completion', body.length));
  assert.equal(String(await once(socket, 'data')), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(body);
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 404 [^]*model_not_found/);
});

/** A bed whose model counts, and a request for it. */
async function countingBed(t: TestContext) {
  const bed = await startEdge(t);
  const seen: string[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    seen.push(request.slice(request.indexOf('{')));
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return { bed, seen };
}

const post = (body: string, ...lines: readonly string[]): string =>
  `${['POST /completion HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`, ...lines].join('\r\n')}\r\n\r\n${body}`;

for (const [what, text] of [
  ['at the door', post(chatBody('a'), 'Host: y')],
  ['when its body is looked at', post(chatBody('a'), 'Content-Encoding: gzip')],
] as const) {
  test(`behind a request that is refused ${what}, nothing on its connection is served`, async (t) => {
    const { bed, seen } = await countingBed(t);
    const got = await exchangeRaw(bed, text + post(chatBody('a')) + post(chatBody('a')));
    assert.equal(got.match(/^HTTP\/1\.1 /gm)?.length, 1);
    assert.match(got, /^HTTP\/1\.1 4/);
    await bed.ended(1);
    assert.deepEqual(seen, []);
  });
}

test('pipelined requests are answered in their order, up to a number, and the connection ends behind them', async (t) => {
  const { bed, seen } = await countingBed(t);
  const bodies = Array.from({ length: 1 + 16 + 256 }, (_, n) => JSON.stringify({ model: 'a', n }));
  const got = await exchangeRaw(bed, bodies.map((body) => post(body)).join(''));
  assert.equal(got.match(/HTTP\/1\.1 200 /g)?.length, 17);
  assert.deepEqual(seen, bodies.slice(0, 17));
});

test('whoever goes on sending requests behind the last one that is served is cut off', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(post(chatBody('a')) + 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(16 + 256));
  await bed.held('uid-a', 1);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  await bed.ended(1);
  bed.assertIdle();
});

const CONNECT = 'CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n';

test('an answer before CONNECT goes on when its client reads on', async (t) => {
  const bed = await startEdge(t);
  const total = 8 * 1024 * 1024;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    pour(socket, 'x'.repeat(1024 * 1024), total);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const accepted = Promise.withResolvers<net.Socket>();
  bed.edge.server.once('connection', accepted.resolve);
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.write(post(chatBody('a')) + CONNECT);
  // Nothing is read until the edge can write no more.
  const client = await accepted.promise;
  while (!client.writableNeedDrain) await nextTurn();
  const got = await text(socket);
  assert.match(got, /x{99}HTTP\/1\.1 405 /);
  assert.ok(got.length > total);
});

for (const [what, text] of [
  ['a request that is refused', post(chatBody('a'), 'Host: y') + CONNECT],
  ['a request that ends its connection', LAST_HEALTH + CONNECT],
  ['CONNECT', CONNECT + CONNECT],
] as const) {
  test(`CONNECT behind ${what} harms nobody`, async (t) => {
    const { bed } = await countingBed(t);
    assert.match(await exchangeRaw(bed, text), /^HTTP\/1\.1 /);
    const socket = net.connect(bed.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(text.slice(0, -CONNECT.length));
    await once(socket, 'data');
    socket.write(CONNECT);
    await once(socket, 'close');
    assert.equal((await ask(bed, { method: 'GET', path: '/health' })).status, 200);
  });
}

/** Has nothing of this process go on for so long, as where it is stopped or its machine is. */
const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

const HEADERS_TIMEOUT = milliseconds(40);

test('a request that came while the edge stood still is not late, and one whose head never ends is', async (t) => {
  const bed = await startEdge(t, { limits: { headersTimeout: HEADERS_TIMEOUT } });
  const [whole, half] = await Promise.all(
    [0, 1].map(async () => {
      const socket = net.connect(bed.port, '127.0.0.1').setEncoding('latin1');
      t.after(() => socket.destroy());
      await Promise.all([once(socket, 'connect'), once(bed.edge.server, 'connection')]);
      return socket;
    }),
  );
  assert.ok(whole !== undefined && half !== undefined);
  whole.write(HEALTH);
  half.write(HEALTH.slice(0, 20));
  standStill(5 * HEADERS_TIMEOUT);
  const [answered, refused] = await Promise.all([whole, half].map(async (socket) => once(socket, 'data')));
  assert.match(String(answered), /^HTTP\/1\.1 200 /u);
  assert.match(String(refused), /^HTTP\/1\.1 408 [^]*"head_too_slow"/u);
  whole.write(HEALTH);
  assert.match(String(await once(whole, 'data')), /^HTTP\/1\.1 200 /u, 'its connection goes on');
});
