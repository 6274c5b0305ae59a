import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { startEdge } from '../testing/edge-testbed.ts';
import {
  answer,
  answerTo,
  ask,
  chat,
  chatBody,
  chunk,
  errorOf,
  headOf,
  LAST_CHUNK,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';

test('a shutdown answers all who wait at once, and lets streams finish before it resolves', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] }, { model: 'b' });
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => {
    agent.destroy();
  });
  const response = await headOf(send(bed, { body: chatBody('a'), agent }));
  const waiting = chat(bed, 'b');
  await bed.held('uid-b', 1);
  let resolved = false;
  const shutdown = bed.edge.shutdown().then(() => (resolved = true));
  const got = await waiting;
  assert.deepEqual([got.status, errorOf(got).get('code'), got.headers.connection], [503, 'shutting_down', 'close']);
  assert.equal(resolved, false);
  stub.sockets[0]?.write(chunk('data: [DONE]\n\n') + LAST_CHUNK);
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  assert.deepEqual([text, response.complete], ['data: 1\n\ndata: [DONE]\n\n', true]);
  await shutdown;
  bed.assertIdle();
  const [upstream] = stub.sockets;
  if (upstream !== undefined && !upstream.closed) await once(upstream, 'close');
});

test('after a shutdown nobody is let in', async (t) => {
  const bed = await startEdge(t);
  await bed.edge.shutdown();
  await assert.rejects(ask(bed, { method: 'GET', path: '/health' }), /ECONNREFUSED/);
});

test('idle kept-alive connections do not hold a shutdown up', async (t) => {
  const bed = await startEdge(t);
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => {
    agent.destroy();
  });
  await ask(bed, { method: 'GET', path: '/health', agent });
  await bed.edge.shutdown();
});

test('connections that have never asked anything do not hold a shutdown up', async (t) => {
  const bed = await startEdge(t);
  const socket = net.connect(bed.port, '127.0.0.1');
  await once(bed.edge.server, 'connection');
  const closed = once(socket, 'close');
  socket.resume();
  await bed.edge.shutdown();
  await closed;
});

test('a request whose body is still on the way is turned away', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.setEncoding('latin1');
  socket.write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"model":"a"');
  await once(bed.edge.server, 'request');
  const shutdown = bed.edge.shutdown();
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 503 [^]*shutting_down/);
  await shutdown;
  bed.assertIdle();
});

test('a request on a connection that is in use during a shutdown is turned away', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  const body = chatBody('a');
  socket.write(`POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await once(socket, 'data');
  const shutdown = bed.edge.shutdown();
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(bed.edge.server, 'request');
  stub.sockets[0]?.write(LAST_CHUNK);
  await once(socket, 'close');
  await shutdown;
  assert.match(text, /data: 1[^]*0\r\n\r\nHTTP\/1\.1 503 [^]*shutting_down/);
});

test('a reload that a shutdown has ended is answered 503, and does not hold it up', async (t) => {
  const reloads = new EventEmitter();
  const bed = await startEdge(t, {
    orders: {
      reload: async () => {
        reloads.emit('asked');
        await once(reloads, 'ended');
        return 'ended';
      },
    },
  });
  const asked = once(reloads, 'asked');
  const answered = ask(bed, { method: 'GET', path: '/models?reload=1' });
  await asked;
  const shutdown = bed.edge.shutdown();
  reloads.emit('ended');
  const got = await answered;
  assert.deepEqual([got.status, errorOf(got).get('code')], [503, 'shutting_down']);
  await shutdown;
});

test('an answer that is complete but not yet sent is no idle connection: it is sent to its end', async (t) => {
  const bed = await startEdge(t);
  const long = 'x'.repeat(24 * 1024 * 1024);
  bed.publish({ model: 'a', aliases: [long] });
  const request = send(bed, { method: 'GET', path: '/models' });
  const response = await headOf(request);
  response.pause();
  const shutdown = bed.edge.shutdown();
  let bytes = 0;
  response.on('data', (part: Buffer) => (bytes += part.length)).resume();
  await once(response, 'end');
  assert.ok(response.complete && bytes > long.length);
  await shutdown;
});

test('an answer that has begun closes its connection when it ends in a shutdown', async (t) => {
  const bed = await startEdge(t);
  let finish: (() => void) | undefined;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: 1\n\n'));
    finish = () => socket.write(LAST_CHUNK);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => {
    agent.destroy();
  });
  const request = send(bed, { body: chatBody('a'), agent });
  const got = answerTo(request);
  await once(request, 'response');
  const shutdown = bed.edge.shutdown();
  finish?.();
  assert.equal((await got).broken, false);
  await shutdown;
});

test('an edge that is to end serves on and says so: each answer closes its connection, and its health is gone', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{"ok":1}')));
  bed.publish({ model: 'a' });
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => {
    agent.destroy();
  });
  assert.equal((await ask(bed, { method: 'GET', path: '/health', agent })).headers.connection, 'keep-alive');
  bed.edge.leave();
  const waiting = ask(bed, { body: chatBody('a'), agent });
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const held = await waiting;
  assert.deepEqual([held.status, held.headers.connection], [200, 'close']);
  const health = await ask(bed, { method: 'GET', path: '/health', agent });
  assert.deepEqual(
    [health.status, errorOf(health).get('code'), health.headers.connection],
    [503, 'shutting_down', 'close'],
  );
  assert.equal((await chat(bed, 'a')).status, 200);
  await bed.edge.shutdown();
  bed.assertIdle();
});
