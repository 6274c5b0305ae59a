import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { instant } from '../domain/units.ts';
import { startEdge, tableOf } from '../testing/edge-testbed.ts';
import {
  answer,
  chat,
  chatBody,
  headOf,
  LAST_CHUNK,
  replicaAt,
  send,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';
import { DEFAULT_EDGE_LIMITS } from './limits.ts';
import { Upstreams } from './upstreams.ts';

const a = replicaAt('a', 1);

const upstreamsWith = (inFlight: () => number): Upstreams =>
  new Upstreams({ inFlight }, DEFAULT_EDGE_LIMITS, () => instant(0));

test('a replica has connections from its first table to the first one without it', () => {
  const upstreams = upstreamsWith(() => 0);
  assert.equal(upstreams.find(a.id), undefined);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  const open = upstreams.find(a.id);
  assert.ok(open !== undefined);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  assert.equal(upstreams.find(a.id), open);
  upstreams.publish(tableOf([{ model: 'a' }]));
  assert.equal(upstreams.find(a.id), undefined);
});

test('a replica that has left the table keeps its connections until its last request ends', () => {
  let inFlight = 2;
  const upstreams = upstreamsWith(() => inFlight);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  upstreams.publish(tableOf([]));
  upstreams.ending(a.id);
  assert.ok(upstreams.find(a.id) !== undefined);
  inFlight = 1;
  upstreams.ending(a.id);
  assert.equal(upstreams.find(a.id), undefined);
});

test('a replica that comes back into the table before its last request ends keeps its connections', () => {
  const upstreams = upstreamsWith(() => 1);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  const open = upstreams.find(a.id);
  upstreams.publish(tableOf([]));
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  upstreams.ending(a.id);
  assert.equal(upstreams.find(a.id), open);
});

test('the end of a request at a replica that is still in the table closes nothing', () => {
  const upstreams = upstreamsWith(() => 1);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a] }]));
  upstreams.ending(a.id);
  assert.ok(upstreams.find(a.id) !== undefined);
});

test('a dispatch counts for its own replica, for as long as that has connections', () => {
  const [b, other] = [replicaAt('b', 2), replicaAt('c', 3)];
  const upstreams = upstreamsWith(() => 0);
  upstreams.publish(tableOf([{ model: 'a', replicas: [a, b] }]));
  const order = (): number[] => [a, b, other].map(({ id }) => upstreams.lastDispatch(id));
  assert.equal(upstreams.dispatchTo(other.id), undefined);
  assert.deepEqual(order(), [0, 0, 0]);
  for (const { id } of [a, b, a]) assert.equal(upstreams.dispatchTo(id), upstreams.find(id));
  assert.deepEqual(order(), [3, 2, 0]);
  upstreams.publish(tableOf([{ model: 'a', replicas: [b] }]));
  assert.deepEqual(order(), [0, 2, 0]);
});

test('idle connections to a replica are closed as soon as it leaves the table', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  await chat(bed, 'a');
  await bed.ended(1);
  const [socket] = stub.sockets;
  assert.ok(socket !== undefined && !socket.closed);
  bed.publish({ model: 'a' });
  await once(socket, 'close');
});

test('a drained replica has no connection left when the ledger tells of its last request', async (t) => {
  // Without timers no idle connection is closed for its age.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(STREAM_HEAD));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  const [socket] = stub.sockets;
  assert.ok(socket !== undefined);
  bed.publish({ model: 'a' });
  const closed = once(socket, 'close');
  socket.write(LAST_CHUNK);
  response.resume();
  await closed;
});
