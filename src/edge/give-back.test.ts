import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import {
  answer,
  answerTo,
  ask,
  chunk,
  LAST_CHUNK,
  portOf,
  readAnswer,
  replicaAt,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';
import { giveBack, isGivenBack } from './give-back.ts';
import { requestBytes } from './request-bytes.ts';

const LARGE = 1_000_000;
const bodyOf = (model: string, filling: string): string => JSON.stringify({ model, x: filling.repeat(LARGE) });

test('a large buffer is empty once its memory is given back; a small one may share its memory, and keeps it', () => {
  const large = Buffer.alloc(LARGE);
  giveBack(large);
  assert.deepEqual([large.length, isGivenBack(large)], [0, true]);
  const small = Buffer.from('abc');
  giveBack(small);
  assert.deepEqual([String(small), isGivenBack(small)], ['abc', false]);
});

test('a body that was given back is not sent as an empty one', () => {
  const body = Buffer.alloc(LARGE);
  giveBack(body);
  assert.throws(
    () => requestBytes({ method: 'POST', path: '/', headers: [], body, reset: false }, 'x'),
    /the body of a request is sent once/,
  );
});

/** A replica of model `a` that begins a stream at once and ends it when told, for each request. */
async function streaming(t: TestContext, bed: EdgeBed): Promise<{ end: () => void }> {
  const ends: (() => void)[] = [];
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD + chunk('data: 1\n\n'));
    ends.push(() => socket.write(LAST_CHUNK));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return {
    end: () => {
      for (const end of ends) end();
    },
  };
}

test('a large body leaves the memory for bodies when its replica has it, and not when its answer ends', async (t) => {
  const bed = await startEdge(t, { limits: { maxHeldBytes: 1.5 * LARGE } });
  const replica = await streaming(t, bed);
  const first = readAnswer(send(bed, { body: bodyOf('a', 'x') }));
  await first.until('data: 1');
  const second = readAnswer(send(bed, { body: bodyOf('a', 'y') }));
  await second.until('data: 1');
  replica.end();
  assert.deepEqual([(await first.whole).status, (await second.whole).status], [200, 200]);
  await bed.ended(2);
  bed.assertIdle();
});

test('a large body comes whole to a replica that reads it late, whatever passes through the same memory meanwhile', async (t) => {
  const bed = await startEdge(t);
  const connected = Promise.withResolvers<net.Socket>();
  const slow = net.createServer({ pauseOnConnect: true }, connected.resolve).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  t.after(() => slow.close());
  const quick = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [replicaAt('r1', portOf(slow))] }, { model: 'b', replicas: [quick.replica] });
  const late = bodyOf('a', 'l'.repeat(12));
  const waiting = answerTo(send(bed, { body: late }));
  const socket = await connected.promise;
  for (const filling of ['q', 'r', 's']) assert.equal((await ask(bed, { body: bodyOf('b', filling) })).status, 200);
  const received = await readRequest(socket, late.length);
  socket.end(answer('{}'));
  assert.equal((await waiting).status, 200);
  assert.ok(received === late, 'the replica got another body');
});

/** The body of the request that comes, of `size` bytes. */
async function readRequest(socket: net.Socket, size: number): Promise<string> {
  let received = '';
  for await (const part of socket.setEncoding('latin1').iterator({ destroyOnReturn: false })) {
    received += String(part);
    const head = received.indexOf('\r\n\r\n') + 4;
    if (received.length === head + size) return received.slice(head);
  }
  throw new Error('the connection ended before the request did');
}
