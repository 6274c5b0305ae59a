import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replicaId, type ReplicaId } from '../domain/ids.ts';
import { routeOf } from '../testing/edge-testbed.ts';
import { replicaAt } from '../testing/http-kit.ts';
import { admit } from './admission.ts';

const one = replicaAt('one', 1);
const two = replicaAt('two', 2);
const paused = { kind: 'pool-paused', pool: 'p' } as const;
const idle = (): number => 0;

test('a route that is missing is gone, and nothing else', () => {
  assert.deepEqual(admit(undefined, idle, undefined), { kind: 'gone' });
});

test('without a ready replica the request is held', () => {
  const route = routeOf({ model: 'a' });
  assert.deepEqual(admit(route, idle, undefined), { kind: 'hold', route });
});

test('without a ready replica and with a refusal the request is refused', () => {
  const route = routeOf({ model: 'a', refusal: paused });
  assert.deepEqual(admit(route, idle, undefined), { kind: 'refuse', route, refusal: paused });
});

test('a ready replica serves in spite of a refusal', () => {
  assert.deepEqual(admit(routeOf({ model: 'a', refusal: paused, replicas: [one] }), idle, undefined), {
    kind: 'dispatch',
    replica: one,
  });
});

test('the replica with the fewest in flight is taken, the first of equals', () => {
  const route = routeOf({ model: 'a', replicas: [one, two] });
  const busy = (id: ReplicaId): number => (id === one.id ? 2 : 1);
  assert.deepEqual(admit(route, busy, undefined), { kind: 'dispatch', replica: two });
  assert.deepEqual(admit(route, idle, undefined), { kind: 'dispatch', replica: one });
});

test('a replica to avoid counts as not ready', () => {
  const route = routeOf({ model: 'a', replicas: [one, two] });
  assert.deepEqual(admit(route, idle, one.id), { kind: 'dispatch', replica: two });
  const alone = routeOf({ model: 'a', replicas: [one] });
  assert.deepEqual(admit(alone, idle, one.id), { kind: 'hold', route: alone });
  assert.deepEqual(admit(alone, idle, replicaId('another')), { kind: 'dispatch', replica: one });
});
