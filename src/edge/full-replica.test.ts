import assert from 'node:assert/strict';
import type { ClientRequest } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { presetUid } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { startEdge, type BedOptions, type EdgeBed, type ModelSketch } from '../testing/edge-testbed.ts';
import { answer, answerTo, chatBody, errorOf, headOf, send, startStub, type StubReplica } from '../testing/http-kit.ts';
import { MAX_CONNECTIONS } from './upstream.ts';

const A = presetUid('uid-a');

interface Full {
  readonly bed: EdgeBed;
  readonly stub: StubReplica;
  readonly sketch: ModelSketch;
  /** Those that are at the replica, which answers none of them by itself. */
  readonly atReplica: readonly ClientRequest[];
  /** Has it answer so many of them. */
  readonly finish: (requests: number) => void;
  /** The requests that have come to it, by the number in each. */
  readonly came: readonly number[];
}

const numbered = (number: number): string => `{"n":${number},"model":"a"}`;
const numberIn = (request: string): number => Number(/"n":(\d+)/u.exec(request)?.[1]);

/** A model whose only replica has as many requests as it has connections, numbered from 0. */
async function startFull(
  t: TestContext,
  more: Omit<ModelSketch, 'model'> = {},
  options: BedOptions = {},
): Promise<Full> {
  const bed = await startEdge(t, options);
  const came: number[] = [];
  const stub = await startStub(t, 'r1', (request) => {
    came.push(numberIn(request));
  });
  const sketch = { model: 'a', replicas: [stub.replica], ...more };
  bed.publish(sketch);
  const atReplica = Array.from({ length: MAX_CONNECTIONS }, (_, n) => send(bed, { body: numbered(n) }));
  for (const request of atReplica) request.on('error', () => undefined);
  while (came.length < MAX_CONNECTIONS) await nextTurn();
  let finished = 0;
  const finish = (requests: number): void => {
    for (const socket of stub.sockets.slice(finished, (finished += requests))) socket.write(answer('{}'));
  };
  return { bed, stub, sketch, atReplica, finish, came };
}

test('with a request on each of its connections a replica gets no more: the next ones wait in their order, and are no demand', async (t) => {
  const { bed, stub, finish, came } = await startFull(t);
  for (let n = 0; n < 3; n += 1) {
    send(bed, { body: numbered(1000 + n) }).on('error', () => undefined);
    await bed.held('uid-a', n + 1);
  }
  assert.deepEqual([bed.ledger.inFlight(stub.replica.id), bed.ledger.demand(A)], [MAX_CONNECTIONS, undefined]);
  finish(2);
  await bed.held('uid-a', 1);
  assert.equal(bed.ledger.inFlight(stub.replica.id), MAX_CONNECTIONS);
  while (came.length < MAX_CONNECTIONS + 2) await nextTurn();
  assert.deepEqual(came.slice(MAX_CONNECTIONS), [1000, 1001]);
});

test('who waits for others to end goes to another replica when there is one, in its order', async (t) => {
  const { bed, stub, sketch } = await startFull(t);
  const order: number[] = [];
  const second = await startStub(t, 'r2', (request, socket) => {
    order.push(numberIn(request));
    socket.write(answer('{}'));
  });
  const waiting = [];
  for (let n = 0; n < 3; n += 1) {
    waiting.push(answerTo(send(bed, { body: numbered(n) })));
    await bed.held('uid-a', n + 1);
  }
  bed.publish({ ...sketch, replicas: [stub.replica, second.replica] });
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
  assert.deepEqual(order, [0, 1, 2]);
});

test('who waits for others to end waits for a load when the replica goes, and again for others when a full one is there', async (t) => {
  const { bed, sketch } = await startFull(t);
  const waiting = send(bed, { body: chatBody('a') });
  waiting.on('error', () => undefined);
  await bed.held('uid-a', 1);
  assert.equal(bed.ledger.demand(A), undefined);
  bed.publish({ model: 'a' });
  assert.equal(bed.ledger.demand(A)?.waiting, 1);
  bed.publish(sketch);
  assert.deepEqual([bed.ledger.demand(A), bed.ledger.find(A)?.waiting], [undefined, 1]);
  bed.publish({ model: 'a' });
  assert.equal(bed.ledger.demand(A)?.waiting, 1);
  waiting.destroy();
  await bed.ended(1);
  assert.deepEqual([bed.ledger.demand(A), bed.ledger.find(A)?.waiting], [undefined, 0]);
});

test('no more may wait for others to end than for a load, and no longer', async (t) => {
  const { bed } = await startFull(t, { maxWaiting: 1, maxWait: milliseconds(20) });
  const first = answerTo(send(bed, { body: chatBody('a') }));
  await bed.held('uid-a', 1);
  const second = await answerTo(send(bed, { body: chatBody('a') }));
  assert.deepEqual([second.status, errorOf(second).get('code')], [429, 'queue_full']);
  const late = await first;
  assert.deepEqual([late.status, errorOf(late).get('code')], [503, 'model_wait_timeout']);
  assert.match(String(errorOf(late).get('message')), /128 requests/u);
});

test('a client that waits for others to end has signs of life', async (t) => {
  const { bed, finish } = await startFull(t, {}, { limits: { heartbeatInterval: milliseconds(5) } });
  const stream = send(bed, { body: JSON.stringify({ model: 'a', stream: true }) });
  stream.on('error', () => undefined);
  const response = await headOf(stream);
  for await (const piece of response) {
    assert.equal(String(piece), ': waiting\n\n');
    break;
  }
  finish(MAX_CONNECTIONS);
});

test('who leaves while it waits for others to end never reaches the replica', async (t) => {
  const { bed, stub, came, finish } = await startFull(t);
  const [first, second] = [send(bed, { body: numbered(1000) }), send(bed, { body: numbered(1001) })];
  for (const request of [first, second]) request.on('error', () => undefined);
  await bed.held('uid-a', 2);
  first.destroy();
  await bed.ended(1);
  finish(1);
  await bed.held('uid-a', 0);
  while (came.length < MAX_CONNECTIONS + 1) await nextTurn();
  assert.deepEqual([came.at(-1), stub.sockets.length], [1001, MAX_CONNECTIONS]);
});
