import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import { test, type TestContext } from 'node:test';
import { minutes } from '../domain/units.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import {
  answer,
  ask,
  chunk,
  errorOf,
  LAST_CHUNK,
  readAnswer,
  send,
  startStub,
  STREAM_HEAD,
  type Got,
  type Reading,
  type StubReplica,
} from '../testing/http-kit.ts';

const MESSAGES = '/v1/messages';
const COMMENT = ': waiting\n\n';
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
const STREAM = STREAM_HEAD + chunk('data: 1\n\n') + chunk('data: [DONE]\n\n') + LAST_CHUNK;

/** A client that waits for a stream, and how it goes on. */
interface Waiting extends Reading {
  readonly bed: EdgeBed;
  readonly request: http.ClientRequest;
  /** Lets the time between two signs of life pass. */
  readonly beat: () => void;
}

interface Question {
  readonly path?: string;
  readonly body?: string;
}

async function waitForStream(t: TestContext, { path = '/v1/chat/completions', body }: Question = {}): Promise<Waiting> {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const request = send(bed, { path, body: body ?? '{"model":"a","stream":true}' });
  request.on('error', () => undefined);
  const reading = readAnswer(request);
  reading.whole.catch(() => undefined);
  await bed.held('uid-a', 1);
  return {
    ...reading,
    bed,
    request,
    beat: () => {
      t.mock.timers.tick(10_000);
    },
  };
}

const stubThatSays = async (t: TestContext, text: string): Promise<StubReplica> =>
  startStub(t, 'r1', (_request, socket) => socket.write(text));

/** What stands after the last `data: ` of an answer. */
const lastData = ({ text }: Got): unknown => JSON.parse(text.slice(text.lastIndexOf('data: ') + 'data: '.length));

test('a client that waits for a stream gets its head and a comment after ten seconds, and later the stream as it is', async (t) => {
  const { bed, until, whole, beat } = await waitForStream(t);
  beat();
  await until(COMMENT);
  beat();
  await until(COMMENT + COMMENT);
  const stub = await stubThatSays(t, STREAM);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const { status, headers, text, broken } = await whole;
  assert.deepEqual([status, headers['content-type'], headers['x-accel-buffering']], [200, 'text/event-stream', 'no']);
  assert.deepEqual([text, broken], [`${COMMENT}${COMMENT}data: 1\n\ndata: [DONE]\n\n`, false]);
  await bed.ended(1);
  bed.assertIdle();
});

test("the sign of life of Anthropic's API is a ping", async (t) => {
  const { bed, until, whole, beat } = await waitForStream(t, { path: MESSAGES });
  beat();
  await until(PING);
  const stub = await stubThatSays(t, STREAM);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await whole).text, `${PING}data: 1\n\ndata: [DONE]\n\n`);
});

test('signs of life that have begun go on until a replica answers, and none comes after its first byte', async (t) => {
  const { bed, until, whole, beat } = await waitForStream(t);
  beat();
  const asked = Promise.withResolvers<undefined>();
  const stub = await startStub(t, 'r1', () => {
    asked.resolve(undefined);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  await asked.promise;
  beat();
  await until(COMMENT + COMMENT);
  stub.sockets[0]?.write(STREAM_HEAD + chunk('data: {"half":'));
  await until('half');
  beat();
  stub.sockets[0]?.write(chunk('1}\n\n') + LAST_CHUNK);
  assert.equal((await whole).text, `${COMMENT}${COMMENT}data: {"half":1}\n\n`);
});

test('a client whose model is ready within ten seconds gets the status and the headers of its replica, whenever that answers', async (t) => {
  const { bed, whole, beat } = await waitForStream(t);
  const asked = Promise.withResolvers<undefined>();
  const stub = await startStub(t, 'r1', () => {
    asked.resolve(undefined);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  await asked.promise;
  beat();
  stub.sockets[0]?.write('HTTP/1.1 400 Bad Request\r\nX-Own: yes\r\nContent-Length: 2\r\n\r\n{}');
  const { status, headers, text } = await whole;
  assert.deepEqual([status, headers['x-own'], text], [400, 'yes', '{}']);
});

for (const [what, question] of [
  ['that did not ask for a stream', { body: '{"model":"a"}' }],
  ['of an endpoint that never streams', { path: '/v1/embeddings' }],
] as const) {
  test(`a client ${what} gets no sign of life, but its answer`, async (t) => {
    const { bed, whole, beat } = await waitForStream(t, question);
    beat();
    const stub = await stubThatSays(t, answer('{"ok":1}'));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    const { text, headers } = await whole;
    assert.deepEqual([text, headers['content-type']], ['{"ok":1}', 'application/json']);
  });
}

test('a wait that ends in a refusal after the first sign of life ends with an error event, and never regularly', async (t) => {
  const { bed, whole, beat } = await waitForStream(t);
  beat();
  bed.publish({ model: 'a', refusal: { kind: 'pool-paused', pool: 'p' } });
  const got = await whole;
  const message = 'the pool "p" of the model "a" is paused';
  const error = { message, type: 'unavailable_error', param: null, code: 'pool_paused' };
  assert.deepEqual([got.status, got.broken], [200, true]);
  assert.equal(got.text, `${COMMENT}data: ${JSON.stringify({ error })}\n\n`);
  await bed.ended(1);
  bed.assertIdle();
});

test("the error event of Anthropic's API has its shape", async (t) => {
  const { bed, whole, beat } = await waitForStream(t, { path: MESSAGES });
  beat();
  bed.publish({ model: 'a', refusal: { kind: 'pool-paused', pool: 'p' } });
  const got = await whole;
  const message = 'the pool "p" of the model "a" is paused';
  const error = { type: 'error', error: { type: 'overloaded_error', message, code: 'pool_paused' } };
  assert.equal(got.text, `${PING}event: error\ndata: ${JSON.stringify(error)}\n\n`);
  assert.equal(got.broken, true);
});

test("a stream of Anthropic's API that its replica breaks off ends with an error event of its shape", async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('event: a\ndata: {}\n\n'), () => socket.destroy());
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await ask(bed, { path: MESSAGES, body: '{"model":"a","stream":true}' });
  assert.equal(got.broken, true);
  assert.match(got.text, /^event: a\ndata: \{\}\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error",/);
});

const tooLong = JSON.stringify({
  error: { code: 400, message: 'too long', type: 'exceed_context_size_error' },
});

for (const [what, replica, error] of [
  [
    'an error',
    `HTTP/1.1 400 Bad Request\r\nContent-Length: ${tooLong.length}\r\n\r\n${tooLong}`,
    { message: 'too long', type: 'exceed_context_size_error', param: null, code: 'upstream_refused' },
  ],
  [
    'an error without words',
    'HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops',
    {
      message: 'the model answered with status 500 instead of a stream',
      type: 'server_error',
      param: null,
      code: 'upstream_refused',
    },
  ],
  [
    'an error that breaks off',
    'HTTP/1.1 404 No\r\nContent-Length: 40\r\n\r\n{"error":',
    {
      message: 'the model answered with status 404 instead of a stream',
      type: 'invalid_request_error',
      param: null,
      code: 'upstream_refused',
    },
  ],
  [
    'something that is no stream',
    answer('{"choices":[]}'),
    {
      message: 'the model did not answer with a stream',
      type: 'server_error',
      param: null,
      code: 'upstream_refused',
    },
  ],
] as const) {
  test(`a replica that answers ${what} after signs of life is told of in an error event`, async (t) => {
    const { bed, whole, beat } = await waitForStream(t);
    beat();
    const stub = await startStub(t, 'r1', (_request, socket) => socket.end(replica));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    const got = await whole;
    assert.deepEqual([got.broken, lastData(got)], [true, { error }]);
    await bed.ended(1);
    bed.assertIdle();
  });
}

test('an endless error is read to a limit only', async (t) => {
  const { bed, whole, beat } = await waitForStream(t);
  beat();
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write('HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n' + chunk('x'.repeat(65_536)));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.match((await whole).text, /"code":"upstream_refused"/);
  const [socket] = stub.sockets;
  if (socket?.closed === false) await once(socket, 'close');
});

test('a shutdown is told to those who wait with signs of life as an event', async (t) => {
  const { bed, until, whole, beat } = await waitForStream(t);
  beat();
  await until(COMMENT);
  const shutdown = bed.edge.shutdown();
  const got = await whole;
  assert.equal(got.broken, true);
  assert.match(got.text, /"code":"shutting_down"/);
  await shutdown;
});

test('a request that has taken too long is told so as an event after signs of life', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const bed = await startEdge(t, { limits: { requestTimeout: minutes(5) } });
  bed.publish({ model: 'a', maxWait: minutes(10) });
  const { whole } = readAnswer(send(bed, { body: '{"model":"a","stream":true}' }));
  await bed.held('uid-a', 1);
  t.mock.timers.tick(10_000);
  t.mock.timers.tick(290_000);
  const got = await whole;
  assert.equal(got.broken, true);
  assert.match(got.text, /^(: waiting\n\n)+data: \{"error":\{.*"code":"request_timeout"/);
  await bed.ended(1);
  bed.assertIdle();
});

test('a client that leaves takes its timers along', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const bed = await startEdge(t, { limits: { heartbeatInterval: minutes(60) } });
  bed.publish({ model: 'a' });
  const before = timers();
  const leaving = send(bed, { body: '{"model":"a","stream":true}' });
  leaving.on('error', () => undefined);
  await bed.held('uid-a', 1);
  assert.ok(timers() >= before + 3, 'the limit of the request, that of the wait, and the signs of life');
  leaving.destroy();
  await bed.ended(1);
  assert.equal(timers(), before);
  bed.assertIdle();
});

test('a refusal before the first sign of life has its status', async (t) => {
  const { bed, whole } = await waitForStream(t);
  bed.publish({ model: 'a', refusal: { kind: 'pool-paused', pool: 'p' } });
  const got = await whole;
  assert.deepEqual([got.status, errorOf(got).get('code'), got.broken], [503, 'pool_paused', false]);
});
