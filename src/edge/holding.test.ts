import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { presetUid } from '../domain/ids.ts';
import { instant, milliseconds } from '../domain/units.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import { answer, answerTo, chat, chatBody, errorOf, send, startStub } from '../testing/http-kit.ts';

const A = presetUid('uid-a');

test('a request for a model that is not loaded waits, and goes on when a replica is ready', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{"ok":1}')));
  bed.publish({ model: 'a' });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  assert.equal(bed.ledger.demand(A)?.waiting, 1);
  bed.publish({ model: 'a', phase: { kind: 'loading' } });
  assert.equal(bed.ledger.demand(A)?.waiting, 1);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal(bed.ledger.demand(A), undefined);
  assert.equal(bed.ledger.inFlight(stub.replica.id), 1);
  assert.equal((await waiting).text, '{"ok":1}');
  await bed.ended(1);
  bed.assertIdle();
});

test('all who wait are served by one publication, in the order in which they came', async (t) => {
  const bed = await startEdge(t);
  const order: string[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    order.push(/"n":(\d)/.exec(request)?.[1] ?? '?');
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a' });
  const all = [];
  for (let n = 0; n < 5; n += 1) {
    all.push(answerTo(send(bed, { body: `{"n":${n},"model":"a"}` })));
    await bed.held('uid-a', n + 1);
  }
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal(bed.ledger.inFlight(stub.replica.id), 5);
  for (const got of await Promise.all(all)) assert.equal(got.status, 200);
  assert.deepEqual(order, ['0', '1', '2', '3', '4']);
});

test('who waits for a model that is no longer declared is told so in the same tick', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' }, { model: 'b' });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  bed.publish({ model: 'b' });
  bed.assertIdle();
  const got = await waiting;
  assert.equal(got.status, 404);
  assert.equal(errorOf(got).get('code'), 'model_not_found');
});

test('a model declared again under its name is another one: who waited for the first does not get the second', async (t) => {
  const bed = await startEdge(t);
  let requests = 0;
  const stub = await startStub(t, 'r2', () => (requests += 1));
  bed.publish({ model: 'a', uid: 'first-life' });
  const waiting = chat(bed, 'a');
  await bed.held('first-life', 1);
  bed.publish({ model: 'a', uid: 'second-life', replicas: [stub.replica] });
  assert.equal((await waiting).status, 404);
  assert.equal(requests, 0);
  bed.assertIdle();
});

test('a failed load is told to all who wait, with its reason, its last lines and when to come back', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const waiting = [chat(bed, 'a'), chat(bed, 'a')];
  await bed.held('uid-a', 2);
  const failure = {
    reason: 'llama-server exited with code 1',
    logTail: ['not a GGUF file'],
    exitCode: 1,
    failures: 1,
    retryAt: instant(60_000),
  };
  bed.publish({ model: 'a', refusal: { kind: 'load-failed', ...failure }, phase: { kind: 'failed', ...failure } });
  for (const got of await Promise.all(waiting)) {
    assert.equal(got.status, 503);
    assert.equal(errorOf(got).get('code'), 'model_load_failed');
    assert.match(String(errorOf(got).get('message')), /exited with code 1\nnot a GGUF file/);
    assert.equal(got.headers['retry-after'], '60');
  }
  bed.assertIdle();
});

test('a request that comes while the load backs off is refused at once', async (t) => {
  const bed = await startEdge(t);
  const failure = { reason: 'it broke', logTail: [], exitCode: undefined, failures: 1, retryAt: instant(0) };
  bed.publish({ model: 'a', refusal: { kind: 'load-failed', ...failure } });
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, got.headers['retry-after']], [503, '1']);
  bed.assertIdle();
});

for (const [refusal, status, code] of [
  [{ kind: 'pool-paused', pool: 'p' }, 503, 'pool_paused'],
  [{ kind: 'pool-not-found', pool: 'p' }, 503, 'pool_not_found'],
  [{ kind: 'autoload-off' }, 400, 'model_not_loaded'],
  [{ kind: 'too-large', because: 'a pool that it fits into' }, 503, 'model_too_large'],
] as const) {
  test(`a request that meets ${refusal.kind} is refused at once with ${code}`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a', refusal });
    const got = await chat(bed, 'a');
    assert.deepEqual([got.status, errorOf(got).get('code')], [status, code]);
    bed.assertIdle();
  });
}

test('a ready replica serves even where a request that would have to wait is refused', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica], refusal: { kind: 'autoload-off' } });
  assert.equal((await chat(bed, 'a')).status, 200);
});

test('a full queue refuses the next at once, and keeps those who wait', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a', maxWaiting: 2, lastLoad: milliseconds(2100) });
  const first = send(bed, { body: chatBody('a') });
  const second = send(bed, { body: chatBody('a') });
  for (const request of [first, second]) request.on('error', () => undefined);
  await bed.held('uid-a', 2);
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [429, 'queue_full', '3']);
  assert.equal(errorOf(got).get('message'), '2 requests wait for the model "a" already');
  assert.equal(bed.ledger.demand(A)?.waiting, 2);
  first.destroy();
  second.destroy();
  await bed.ended(3);
  bed.assertIdle();
});

test('who has waited too long is told what for, and when to come back', async (t) => {
  const bed = await startEdge(t);
  bed.publish({
    model: 'a',
    maxWait: milliseconds(20),
    lastLoad: milliseconds(8000),
    phase: { kind: 'waiting', reason: 'WaitingForCapacity', because: 'room: taken by b', position: 3 },
  });
  const got = await chat(bed, 'a');
  assert.deepEqual(
    [got.status, errorOf(got).get('code'), got.headers['retry-after']],
    [503, 'model_wait_timeout', '8'],
  );
  assert.match(
    String(errorOf(got).get('message')),
    /it waits for room: taken by b; it is number 3 in the queue of its pool$/,
  );
  bed.assertIdle();
});

test('who has waited too long for a model that does not get on is told what keeps it', async (t) => {
  const bed = await startEdge(t);
  const trouble = { code: 'NotStarting', words: 'FailedMount: no disk' } as const;
  bed.publish({ model: 'a', maxWait: milliseconds(20), phase: { kind: 'loading', trouble } });
  const got = await chat(bed, 'a');
  assert.equal(errorOf(got).get('code'), 'model_wait_timeout');
  assert.match(String(errorOf(got).get('message')), /: it is still loading: FailedMount: no disk$/);
});

test('a client that leaves gives up its place at once', async (t) => {
  const bed = await startEdge(t);
  let requests = 0;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    requests += 1;
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a' });
  const leaving = send(bed, { body: chatBody('a') });
  leaving.on('error', () => undefined);
  await bed.held('uid-a', 1);
  const staying = chat(bed, 'a');
  await bed.held('uid-a', 2);
  leaving.destroy();
  await bed.ended(1);
  assert.equal(bed.ledger.demand(A)?.waiting, 1);
  assert.equal(bed.lines.at(-1)?.fields.get('status'), 499);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await staying).status, 200);
  assert.equal(requests, 1);
});

test('of pipelined requests one is served at a time, and a client that leaves takes all of them along', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const socket = net.connect(bed.port, '127.0.0.1');
  const body = chatBody('a');
  const request = `POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  socket.write(request + request);
  await bed.held('uid-a', 1);
  socket.destroy();
  await bed.ended(1);
  bed.assertIdle();
  assert.equal(bed.records.length, 1);
});

for (const [what, behind] of [
  ['a request that has only begun', 'GET'],
  ['a request whose body has not come whole', 'POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'],
  ['a tunnel', 'CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['what is no HTTP', '\u0000\r\n\r\n'],
] as const)
  test(`a client that leaves gives up its place at once also where ${what} is behind`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a' });
    const socket = net.connect(bed.port, '127.0.0.1');
    const body = chatBody('a');
    socket.write(`POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}${behind}`);
    await bed.held('uid-a', 1);
    socket.end();
    await bed.ended(1);
    bed.assertIdle();
  });

test('one that waited is logged with how long it waited', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a' });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a', replicas: [stub.replica] });
  await waiting;
  await bed.ended(1);
  assert.ok(Number(bed.lines.at(-1)?.fields.get('waitedMs')) >= 1);
});

test('a table published while the first waiter is being counted is not missed', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a' });
  bed.ledger.onChange((change) => {
    if (change === 'demand' && bed.ledger.demand(A) !== undefined)
      bed.publish({ model: 'a', replicas: [stub.replica] });
  });
  assert.equal((await chat(bed, 'a')).status, 200);
  await bed.ended(1);
  bed.assertIdle();
});

test('a table published while another is being followed wins', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a' }, { model: 'b' });
  const a = chat(bed, 'a');
  const b = chat(bed, 'b');
  await bed.held('uid-a', 1);
  await bed.held('uid-b', 1);
  let once = true;
  bed.ledger.onChange(() => {
    if (!once) return;
    once = false;
    bed.publish({ model: 'a', replicas: [stub.replica] });
  });
  bed.publish({ model: 'a', replicas: [stub.replica] }, { model: 'b', replicas: [stub.replica] });
  assert.equal((await a).status, 200);
  assert.equal((await b).status, 404);
  await bed.ended(2);
  bed.assertIdle();
});
