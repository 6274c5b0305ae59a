import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds } from '../domain/units.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import { answer, ask, chat, chunk, LAST_CHUNK, startStub, STREAM_HEAD, type Got } from '../testing/http-kit.ts';

/** `x-corral-queue-ms` and `x-corral-load-ms`. The clock of the testbed moves by 1 ms with every look. */
const waitsOf = ({ headers }: Got): readonly number[] => [
  Number(headers['x-corral-queue-ms']),
  Number(headers['x-corral-load-ms']),
];

test('an answer that did not have to wait says so', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.deepEqual(waitsOf(await chat(bed, 'a')), [0, 0]);
});

test('an answer says how long its request was held, and for which part of that its model was loading', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a' });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  for (let look = 0; look < 100; look += 1) bed.publish({ model: 'a' });
  for (let look = 0; look < 1000; look += 1) bed.publish({ model: 'a', phase: { kind: 'loading' } });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const [queued = NaN, loading = NaN] = waitsOf(await waiting);
  assert.ok(loading >= 1000, `${loading} ms of loading`);
  assert.ok(queued - loading >= 100, `${queued} ms in all`);
});

test('a request that finds its model loading has waited for the load only', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', phase: { kind: 'loading' } });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const [queued, loading] = waitsOf(await waiting);
  assert.equal(queued, loading);
});

test('a refusal after a wait says how long that was, and one without a wait does not', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a', maxWait: milliseconds(10) });
  const got = await chat(bed, 'a');
  assert.equal(got.status, 503);
  assert.ok(Number(got.headers['x-corral-queue-ms']) > 0);
  bed.publish({ model: 'a', refusal: { kind: 'autoload-off' } });
  assert.equal((await chat(bed, 'a')).headers['x-corral-queue-ms'], undefined);
});

for (const [who, head] of [
  ['a llama-server that says nothing of it', STREAM_HEAD],
  // As v0.5.0 does.
  ['one that says so itself', STREAM_HEAD.replace('\r\n', '\r\nX-Accel-Buffering: no\r\n')],
  ['one that says the contrary', STREAM_HEAD.replace('\r\n', '\r\nX-Accel-Buffering: yes\r\n')],
] as const) {
  test(`nobody on the way may buffer an event stream of ${who}, and other answers say nothing of that`, async (t) => {
    const bed = await startEdge(t);
    const stub = await startStub(t, 'r1', (request, socket) => {
      const isStream = request.includes('stream');
      socket.write(isStream ? head + chunk('data: 1\n\n') + LAST_CHUNK : answer('{}'));
    });
    bed.publish({ model: 'a', replicas: [stub.replica] });
    const stream = await ask(bed, { body: '{"model":"a","stream":true}' });
    const whole = await chat(bed, 'a');
    // Node joins the values of a header that comes twice.
    assert.deepEqual([stream.headers['x-accel-buffering'], whole.headers['x-accel-buffering']], ['no', undefined]);
  });
}
