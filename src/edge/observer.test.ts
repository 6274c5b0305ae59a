import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startEdge } from '../testing/edge-testbed.ts';
import {
  answer,
  ask,
  chat,
  chatBody,
  chunk,
  headOf,
  LAST_CHUNK,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';

test('an answered request is told of once, with what it was and what it took', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{"choices":[]}')));
  bed.publish({ model: 'a', aliases: ['other'], replicas: [stub.replica] });
  await ask(bed, { path: '/v1/completions?x=1', body: chatBody('other'), headers: { 'x-request-id': 'id-1' } });
  await bed.ended(1);
  const [record, ...more] = bed.records;
  assert.ok(record !== undefined && more.length === 0);
  const { arrived, duration, firstByte, ...rest } = record;
  assert.ok(arrived > 0 && firstByte !== undefined && firstByte > 0 && duration > firstByte);
  assert.deepEqual(rest, {
    route: '/v1/completions',
    method: 'POST',
    path: '/v1/completions',
    model: 'a',
    status: 200,
    code: undefined,
    keyId: undefined,
    requestId: 'id-1',
    client: '127.0.0.1',
    waited: 0,
    bytesIn: chatBody('other').length,
    bytesOut: '{"choices":[]}'.length,
    tokensIn: undefined,
    tokensOut: undefined,
    upstreamError: undefined,
    streamed: false,
    complete: true,
  });
});

test('a refused request is told of with its code, and by no name that nobody declares', async (t) => {
  const bed = await startEdge(t);
  const { text } = await chat(bed, 'nobody-declares-this');
  await ask(bed, { path: '/v1/nothing', method: 'GET' });
  await ask(bed, { path: '/v1/models', method: 'GET' });
  await ask(bed, { path: '/v1/models/nobody-declares-this', method: 'GET' });
  await bed.ended(4);
  assert.deepEqual(
    bed.records.map(({ status, code, route, model, firstByte, complete }) => [
      status,
      code,
      route,
      model,
      firstByte,
      complete,
    ]),
    [
      [404, 'model_not_found', '/v1/chat/completions', undefined, undefined, true],
      [404, 'not_found', undefined, undefined, undefined, true],
      [200, undefined, '/v1/models', undefined, undefined, true],
      [404, 'model_not_found', '/v1/models/{model}', undefined, undefined, true],
    ],
  );
  assert.equal(bed.records[0]?.bytesOut, text.length);
  assert.doesNotMatch(JSON.stringify([bed.records, bed.lines.map(({ fields }) => [...fields])]), /nobody-declares/);
});

test('the tokens that an answer tells of are told on; an answer that is cut tells of none', async (t) => {
  const bed = await startEdge(t);
  const usage = { prompt_tokens: 7, completion_tokens: 2 };
  const events = `data: ${JSON.stringify({ choices: [] })}\n\ndata: ${JSON.stringify({ usage })}\n\ndata: [DONE]\n\n`;
  const whole = JSON.stringify({ choices: [], usage });
  const stub = await startStub(t, 'r1', (request, socket) => {
    if (request.includes('"cut"')) socket.end(answer(`${whole} `).slice(0, -1));
    else if (request.includes('"stream"'))
      socket.write(STREAM_HEAD + events.split('').map(chunk).join('') + LAST_CHUNK);
    else socket.write(answer(whole));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  for (const more of [{}, { stream: true }, { cut: true }]) {
    await ask(bed, { body: JSON.stringify({ model: 'a', ...more }) });
  }
  await bed.ended(3);
  assert.deepEqual(
    bed.records.map(({ tokensIn, tokensOut, streamed }) => [tokensIn, tokensOut, streamed]),
    [
      [7, 2, false],
      [7, 2, true],
      [undefined, undefined, false],
    ],
  );
});

test('a client that leaves before its answer counts as 499, one that leaves in its middle as not complete', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD + chunk('data: 1\n\n')));
  bed.publish({ model: 'a', replicas: [stub.replica] }, { model: 'b' });
  const held = send(bed, { body: chatBody('b') });
  held.on('error', () => undefined);
  await bed.held('uid-b', 1);
  held.destroy();
  await bed.ended(1);
  const streaming = send(bed, { body: chatBody('a') });
  const response = await headOf(streaming);
  response.on('error', () => undefined);
  await once(response, 'data');
  streaming.destroy();
  await bed.ended(2);
  assert.deepEqual(
    bed.records.map(({ status, model, complete, streamed, bytesOut, waited }) => [
      status,
      model,
      complete,
      streamed,
      bytesOut,
      waited > 0,
    ]),
    [
      [499, 'b', false, false, 0, true],
      [200, 'a', false, true, 9, false],
    ],
  );
});

test('how a replica failed is told, also where an error event ended its answer', async (t) => {
  const bed = await startEdge(t);
  const gone = await startStub(t, 'gone', () => undefined);
  const mute = await startStub(t, 'mute', (_request, socket) => socket.destroy());
  const cut = await startStub(t, 'cut', (_request, socket) => socket.end(STREAM_HEAD + chunk('data: 1\n\n')));
  const good = await startStub(t, 'good', (_request, socket) => socket.write(STREAM_HEAD + chunk('x') + LAST_CHUNK));
  await gone.stop();
  bed.publish(
    { model: 'a', replicas: [gone.replica, good.replica] },
    { model: 'b', replicas: [mute.replica] },
    { model: 'c', replicas: [cut.replica] },
  );
  for (const model of ['a', 'b', 'c']) await chat(bed, model);
  await bed.ended(3);
  assert.deepEqual(
    bed.records.map(({ status, code, upstreamError, complete }) => [status, code, upstreamError, complete]),
    [
      [200, undefined, 'unreachable', true],
      [502, 'upstream_failed', 'unanswered', true],
      [200, 'upstream_failed', 'broken', false],
    ],
  );
});

test('an observer that fails ends no request', async (t) => {
  const observer = {
    ended: (): void => {
      throw new Error('a fault of the observer');
    },
  };
  const bed = await startEdge(t, { observers: [observer] });
  assert.equal((await ask(bed, { path: '/health', method: 'GET' })).status, 200);
  assert.equal((await ask(bed, { path: '/health', method: 'GET' })).status, 200);
  await bed.ended(2);
  const faults = bed.lines.filter(({ message }) => message === 'the end of a request could not be told');
  assert.equal(faults.length, 2);
});
