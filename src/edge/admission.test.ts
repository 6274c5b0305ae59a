import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replicaId, type ReplicaId } from '../domain/ids.ts';
import { routeOf } from '../testing/edge-testbed.ts';
import { replicaAt } from '../testing/http-kit.ts';
import { admit, type Loads } from './admission.ts';
import { MAX_CONNECTIONS } from './upstream.ts';

const one = replicaAt('one', 1);
const two = replicaAt('two', 2);
const paused = { kind: 'pool-paused', pool: 'p' } as const;
const idle: Loads = { inFlight: () => 0, lastDispatch: () => 0 };

test('a route that is missing is gone, and nothing else', () => {
  assert.deepEqual(admit(undefined, idle, undefined), { kind: 'gone' });
});

test('without a ready replica the request is held', () => {
  const route = routeOf({ model: 'a' });
  assert.deepEqual(admit(route, idle, undefined), { kind: 'hold', route, isForOthersToEnd: false });
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

test('the replica with the fewest in flight is taken, of equals that which was used longest ago', () => {
  const route = routeOf({ model: 'a', replicas: [one, two] });
  const ofOne = (of: number, ofOthers: number) => (id: ReplicaId) => (id === one.id ? of : ofOthers);
  const taken = (loads: Partial<Loads>): unknown => {
    const admission = admit(route, { ...idle, ...loads }, undefined);
    return admission.kind === 'dispatch' ? admission.replica : admission.kind;
  };
  assert.equal(taken({ inFlight: ofOne(2, 1), lastDispatch: ofOne(1, 2) }), two);
  assert.equal(taken({ inFlight: ofOne(1, 2), lastDispatch: ofOne(2, 1) }), one);
  assert.equal(taken({ lastDispatch: ofOne(2, 1) }), two);
  assert.equal(taken({ lastDispatch: ofOne(1, 2) }), one);
  assert.equal(taken({}), one);
});

test('replicas to avoid count as not ready', () => {
  const route = routeOf({ model: 'a', replicas: [one, two] });
  assert.deepEqual(admit(route, idle, new Set([one.id])), { kind: 'dispatch', replica: two });
  assert.deepEqual(admit(route, idle, new Set([one.id, two.id])), { kind: 'hold', route, isForOthersToEnd: false });
  const alone = routeOf({ model: 'a', replicas: [one] });
  assert.deepEqual(admit(alone, idle, new Set([one.id])), { kind: 'hold', route: alone, isForOthersToEnd: false });
  assert.deepEqual(admit(alone, idle, new Set([replicaId('another')])), { kind: 'dispatch', replica: one });
});

test('a replica with a request on each of its connections has no room for another one, which is held for others to end', () => {
  const route = routeOf({ model: 'a', refusal: paused, replicas: [one, two] });
  const full = (id: ReplicaId): number => (id === two.id ? MAX_CONNECTIONS - 1 : MAX_CONNECTIONS);
  assert.deepEqual(admit(route, { ...idle, inFlight: full }, undefined), { kind: 'dispatch', replica: two });
  const held = { kind: 'hold', route, isForOthersToEnd: true };
  assert.deepEqual(admit(route, { ...idle, inFlight: () => MAX_CONNECTIONS }, undefined), held);
  assert.deepEqual(admit(route, { ...idle, inFlight: full }, new Set([two.id])), held);
});
