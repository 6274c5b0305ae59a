import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { presetUid } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import {
  answer,
  answerTo,
  ask,
  chat,
  chatBody,
  chunk,
  closedPort,
  errorOf,
  headOf,
  LAST_CHUNK,
  portOf,
  replicaAt,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';

test('a replica that breaks off an event stream is seen by the client: an error event, and no regular end', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: {"n":1}\n\n'), () => socket.destroy());
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.equal(got.broken, true);
  const events = got.text.split('\n\n');
  assert.deepEqual([events[0], events.length, events[2]], ['data: {"n":1}', 3, '']);
  assert.match(String(events[1]), /^data: \{"error":\{.*"code":"upstream_failed"/);
  assert.doesNotMatch(got.text, /DONE/);
  await bed.ended(1);
  bed.assertIdle();
  assert.ok(bed.lines.some(({ level, message }) => level === 'warn' && message === 'replica failed a request'));
});

test('a stream that breaks inside an event gets the error as an event of its own', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: {"n":'), () => socket.destroy());
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.equal(got.broken, true);
  assert.match(got.text, /^data: \{"n":\n\ndata: \{"error":/);
});

test('a replica that breaks off any other answer breaks it for the client too, without a word in it', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":', () =>
      socket.destroy(),
    );
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, got.text, got.broken], [200, '{"half":', true]);
  await bed.ended(1);
  bed.assertIdle();
});

test('an end of the chunks that never comes is a broken answer', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' + chunk('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await chat(bed, 'a')).broken, true);
});

/** A client of this version of HTTP that has asked for an answer, and does not read it. */
function askRaw(version: '1.0' | '1.1', port: number): net.Socket {
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
  const body = chatBody('a');
  socket.write(`POST /completion HTTP/${version}\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

/** Reads what such a client gets, and how its connection ends. */
async function readRaw(socket: net.Socket): Promise<{ text: string; end: string | undefined }> {
  let [text, end]: [string, string | undefined] = ['', undefined];
  socket.on('data', (part: string) => (text += part));
  socket.on('end', () => (end = 'closed'));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (end = code));
  // `once` of node:events would reject for a reset.
  await new Promise((resolve) => socket.once('close', resolve));
  return { text, end };
}

const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

for (const [what, begun, last] of [
  ['an answer', `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk('{"a":1,')}`, /\{"a":1,(?:\r\n)?$/],
  ['an event stream', STREAM_HEAD + chunk('data: 1\n\n'), /"code":"upstream_failed"\}\}\n\n(?:\r\n)?$/],
] as const) {
  test(`${what} that breaks off looks whole to no client, whatever says where it ends`, async (t) => {
    const bed = await startEdge(t);
    const stub = await startStub(t, 'r1', (_request, socket) => socket.write(begun, () => socket.destroy()));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    for (const [version, end] of [
      ['1.0', 'ECONNRESET'],
      ['1.1', 'closed'],
    ] as const) {
      const got = await readRaw(askRaw(version, bed.port));
      assert.match(got.text, last);
      assert.deepEqual([version, got.end], [version, end]);
    }
    await bed.ended(2);
    bed.assertIdle();
  });
}

test('an answer of a known length that breaks off is closed in HTTP/1.0 too', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(`${JSON_HEAD}Content-Length: 100\r\n\r\n{"half":`, () => socket.destroy());
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await readRaw(askRaw('1.0', bed.port))).end, 'closed');
});

test('an answer in HTTP/1.0 that was sent whole, but is not all out in time, is reset', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t, { limits: { requestTimeout: milliseconds(1000) } });
  const asked = Promise.withResolvers<net.Socket>();
  const stub = await startStub(t, 'r1', (_request, socket) => {
    asked.resolve(socket);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const client = askRaw('1.0', bed.port);
  const [, res] = (await once(bed.edge.server, 'request')) as [unknown, ServerResponse];
  const replica = await asked.promise;
  replica.write(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
  // Until the kernel takes no more, and not until the edge reads no more.
  while (res.writableLength === 0) {
    replica.write(chunk('x'.repeat(1024)));
    await nextTurn();
  }
  replica.write(LAST_CHUNK);
  while (!res.writableEnded) await nextTurn();
  t.mock.timers.tick(1000);
  assert.equal((await readRaw(client)).end, 'ECONNRESET');
  await bed.ended(1);
  bed.assertIdle();
});

test('a replica that has got a request and dies before it answers is not asked twice: 502', async (t) => {
  const bed = await startEdge(t);
  let requests = 0;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    requests += 1;
    socket.destroy();
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code'), requests], [502, 'upstream_failed', 1]);
  await bed.ended(1);
  bed.assertIdle();
});

test('an answer that is not HTTP is 502', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await chat(bed, 'a')).status, 502);
});

test('a header that must not be sent on makes it 502, not a crash', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nX-Bad: a\u0001b\r\nContent-Length: 0\r\n\r\n');
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await chat(bed, 'a')).status, 502);
  await bed.ended(1);
  bed.assertIdle();
});

test('a replica that closes its idle connection costs nobody an answer', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  for (let request = 0; request < 10; request += 1) {
    assert.equal((await chat(bed, 'a')).status, 200);
    const socket = stub.sockets.at(-1);
    assert.ok(socket !== undefined);
    if (request % 2 === 0) socket.end();
    else socket.destroy();
    await once(socket, 'close');
  }
});

test('a client that leaves before the answer begins cancels it at the replica', async (t) => {
  const bed = await startEdge(t);
  let asked: (() => void) | undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const stub = await startStub(t, 'r1', () => asked?.());
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const leaving = send(bed, { body: chatBody('a') });
  leaving.on('error', () => undefined);
  await isAsked;
  assert.equal(bed.ledger.inFlight(stub.replica.id), 1);
  const socket = stub.sockets[0];
  assert.ok(socket !== undefined);
  leaving.destroy();
  await once(socket, 'close');
  await bed.ended(1);
  bed.assertIdle();
});

test('a client that leaves in the middle of a stream cancels it at the replica', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const leaving = send(bed, { body: chatBody('a') });
  const response = await headOf(leaving);
  response.on('error', () => undefined);
  await once(response, 'data');
  const socket = stub.sockets[0];
  assert.ok(socket !== undefined);
  leaving.destroy();
  await once(socket, 'close');
  await bed.ended(1);
  bed.assertIdle();
});

test('a client that leaves while the connection to the replica is being made is counted no longer', async (t) => {
  const bed = await startEdge(t);
  // Nobody accepts beyond the backlog: connecting takes until its time limit.
  const full = net.createServer();
  full.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
  await once(full, 'listening');
  t.after(() => full.close());
  const replica = replicaAt('r1', portOf(full));
  bed.publish({ model: 'a', replicas: [replica] });
  const leaving = send(bed, { body: chatBody('a') });
  leaving.on('error', () => undefined);
  await once(bed.edge.server, 'request');
  leaving.destroy();
  await bed.ended(1);
  bed.assertIdle();
});

test('a client that leaves while its body is being looked at reserves nothing', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const body = JSON.stringify({ text: 'x'.repeat(4 * 1024 * 1024), model: 'a' });
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.end(`POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await bed.ended(1);
  // A later look at as long a body ends later.
  assert.equal((await ask(bed, { body: body.replace('"a"', '"b"') })).status, 404);
  bed.assertIdle();
});

test('a broken stream ends for the model at once, before its client has been told', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: 1\n\n'), () => socket.destroy());
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  let toldClient: boolean | undefined;
  bed.edge.server.on('request', (_req: unknown, res: ServerResponse) => {
    bed.ledger.onChange((change) => {
      if (change === 'idle') toldClient = res.destroyed;
    });
  });
  assert.equal((await chat(bed, 'a')).broken, true);
  await bed.ended(1);
  assert.equal(toldClient, false);
});

test('a client that leaves before it has sent its whole body reserves nothing', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"model":"a"');
  await once(bed.edge.server, 'request');
  socket.destroy();
  await bed.ended(1);
  bed.assertIdle();
});

test('a model that is removed while it answers answers to its end', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  bed.publish();
  assert.equal((await chat(bed, 'a')).status, 404);
  const socket = stub.sockets[0];
  assert.ok(socket !== undefined);
  socket.write(chunk('data: [DONE]\n\n') + LAST_CHUNK);
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  assert.deepEqual([text, response.complete], ['data: 1\n\ndata: [DONE]\n\n', true]);
  await once(socket, 'close');
  bed.assertIdle();
});

test('a request that takes longer than allowed is answered 504 before its answer has begun', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t, { limits: { requestTimeout: milliseconds(1000) } });
  const stub = await startStub(t, 'r1', () => {
    t.mock.timers.tick(1000);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code')], [504, 'request_timeout']);
  await bed.ended(1);
  bed.assertIdle();
});

test('a stream that takes longer than allowed ends with an error event', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t, { limits: { requestTimeout: milliseconds(1000) } });
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(response, 'data');
  t.mock.timers.tick(1000);
  await once(response, 'error');
  assert.match(text, /^data: 1\n\ndata: \{"error":\{.*"code":"request_timeout"/);
  await bed.ended(1);
  bed.assertIdle();
});

test('an answer that its client does not read ends with the limit on the request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t, { limits: { requestTimeout: milliseconds(1000) } });
  const long = answer('x'.repeat(32 * 1024 * 1024));
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(long));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  const broken = once(response, 'error');
  t.mock.timers.tick(1000);
  await bed.ended(1);
  bed.assertIdle();
  response.resume();
  await broken;
});

test('looking at slots of a loaded model is forwarded and counts nowhere', async (t) => {
  const bed = await startEdge(t);
  let seen = '';
  let inFlight: number | undefined;
  const stub = await startStub(t, 'r1', (request, socket) => {
    seen = request;
    inFlight = bed.ledger.inFlight(stub.replica.id);
    socket.write(answer('[]'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const before = bed.ledger.activity(presetUid('uid-a'));
  const got = await ask(bed, { method: 'GET', path: '/slots?model=a' });
  assert.deepEqual([got.status, got.text, inFlight], [200, '[]', 0]);
  assert.match(seen, /^GET \/secret\/slots\?model=a HTTP/);
  await bed.ended(1);
  assert.deepEqual(bed.ledger.activity(presetUid('uid-a')), before);
});

test('looking at slots loads nothing: a model that is not loaded says so', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const got = await ask(bed, { method: 'GET', path: '/slots?model=a' });
  assert.deepEqual([got.status, errorOf(got).get('code')], [400, 'model_not_loaded']);
  assert.equal(bed.ledger.demand(presetUid('uid-a')), undefined);
});

for (const [path, status] of [
  ['/slots', 400],
  ['/slots?model=', 400],
  ['/slots?model=a&model=b', 400],
  ['/slots?model=b', 404],
  ['/slots?model=__proto__', 404],
] as const) {
  test(`GET ${path} is answered ${status}`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a' });
    assert.equal((await ask(bed, { method: 'GET', path })).status, status);
  });
}

test('a look at slots is not cut when the model leaves the table meanwhile', async (t) => {
  const bed = await startEdge(t);
  let asked: (() => void) | undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const stub = await startStub(t, 'r1', () => asked?.());
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const looking = answerTo(send(bed, { method: 'GET', path: '/slots?model=a' }));
  await isAsked;
  bed.publish({ model: 'a' });
  stub.sockets[0]?.write(answer('[1]'));
  assert.equal((await looking).text, '[1]');
});

test('a look at slots of a replica that is dead is 502', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a', replicas: [replicaAt('dead', await closedPort())] });
  assert.equal((await ask(bed, { method: 'GET', path: '/slots?model=a' })).status, 502);
});
