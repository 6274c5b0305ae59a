import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds } from '../domain/units.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import {
  answer,
  chat,
  chatBody,
  chunk,
  errorOf,
  LAST_CHUNK,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';

test('a replica that does not begin to answer in time is given up: 504', async (t) => {
  const bed = await startEdge(t, { limits: { firstByteTimeout: milliseconds(100) } });
  const closed = Promise.withResolvers<undefined>();
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.once('close', () => {
      closed.resolve(undefined);
    });
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code')], [504, 'first_byte_timeout']);
  // A client that asks again has it generated once more, up to three times.
  assert.equal(got.headers['x-should-retry'], 'false');
  await closed.promise;
  await bed.ended(1);
  bed.assertIdle();
});

test('a stream that pauses for too long ends with an error event, and never regularly', async (t) => {
  const bed = await startEdge(t, { limits: { chunkTimeout: milliseconds(100) } });
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.equal(got.broken, true);
  assert.match(
    got.text,
    /^data: 1\n\ndata: \{"error":\{"message":"the model paused .* 0\.1 s",.*"code":"chunk_timeout"/,
  );
  await bed.ended(1);
  bed.assertIdle();
});

test('any other answer that pauses for too long is cut short', async (t) => {
  const bed = await startEdge(t, { limits: { chunkTimeout: milliseconds(100) } });
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{');
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, got.text, got.broken], [200, '{', true]);
});

test('an answer whose end could not be told from a cut is none: 502', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code')], [502, 'upstream_failed']);
  await bed.ended(1);
  bed.assertIdle();
});

test('an answer that has no body needs no length', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await chat(bed, 'a')).status, 204);
});

test('more requests than may wait in all are refused, whatever they are for', async (t) => {
  const bed = await startEdge(t, { limits: { maxWaiting: 2 } });
  bed.publish({ model: 'a' }, { model: 'b' }, { model: 'c' });
  const waiting = ['a', 'b'].map((model) => send(bed, { body: chatBody(model) }));
  for (const request of waiting) request.on('error', () => undefined);
  await bed.held('uid-a', 1);
  await bed.held('uid-b', 1);
  const got = await chat(bed, 'c');
  assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [429, 'queue_full', '5']);
  assert.equal(errorOf(got).get('message'), '2 requests wait for models already');
  for (const request of waiting) request.destroy();
  await bed.ended(3);
  bed.assertIdle();
});

test('where one may wait in all, or be in flight, the refusal of the next speaks of one', async (t) => {
  for (const [limits, message] of [
    [{ maxWaiting: 1 }, '1 request waits for models already'],
    [{ maxInFlight: 1 }, '1 request is in flight already'],
  ] as const) {
    const bed = await startEdge(t, { limits });
    bed.publish({ model: 'a' }, { model: 'b' });
    const waiting = send(bed, { body: chatBody('a') });
    waiting.on('error', () => undefined);
    await bed.held('uid-a', 1);
    assert.equal(errorOf(await chat(bed, 'b')).get('message'), message);
    waiting.destroy();
    await bed.ended(2);
    bed.assertIdle();
  }
});

test('more requests than may be in flight are refused, and each that ends makes room for another', async (t) => {
  const bed = await startEdge(t, { limits: { maxInFlight: 2 } });
  const asked = Promise.withResolvers<undefined>();
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: 1\n\n'));
    asked.resolve(undefined);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] }, { model: 'b' });
  const streaming = chat(bed, 'a');
  await asked.promise;
  const waiting = send(bed, { body: chatBody('b') });
  waiting.on('error', () => undefined);
  await bed.held('uid-b', 1);
  const got = await chat(bed, 'b');
  assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [503, 'overloaded', '1']);
  assert.equal(errorOf(got).get('message'), '2 requests are in flight already');
  waiting.destroy();
  stub.sockets[0]?.write(LAST_CHUNK);
  await streaming;
  await bed.ended(3);
  const other = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [other.replica] });
  for (let request = 0; request < 5; request += 1) assert.equal((await chat(bed, 'a')).status, 200);
  bed.assertIdle();
});
