import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { systemTimers } from '../platform/clock.ts';
import { clusterWorld } from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { Announcer } from './announcer.ts';

const NAMES = Array.from({ length: 40 }, (_, index) => `m${index}`);

test('of many ModelDeployments is told in turns with all else, and of what changes meanwhile after that, once', async (t) => {
  const { api } = await startKube(t);
  const world = clusterWorld(NAMES.map((name) => declared(name, [declaredPreset(name)])));
  const told: string[] = [];
  let [now, looks, ends] = [0, 0, 0];
  const ended = Promise.withResolvers<undefined>();
  const announcer = new Announcer({
    ...{ podOf: () => undefined, instance: 'operator-1', nonce: 'ab', log: keptLog() },
    api: { ...api, patch: async () => new Promise<KubeObject>(() => undefined) },
    // Each look at the clock is a millisecond later.
    timers: { ...systemTimers, now: () => instant((now += 1)) },
    wallNow: () => 0,
    isLeading: () => true,
    look: () => {
      looks += 1;
      return world;
    },
    newest: {
      deployment: (decided) => {
        told.push(decided.ref.name);
        return decided;
      },
      pool: (decided) => decided,
    },
    versionOf: () => '1',
    onWritten: () => undefined,
    onTold: () => {
      ends += 1;
      if (ends === 2) ended.resolve(undefined);
    },
  });
  announcer.tellSoon();
  await new Promise(setImmediate);
  assert.ok(told.length > 0 && told.length < NAMES.length, `${told.length} at once`);
  announcer.tellSoon();
  announcer.tellSoon();
  await new Promise(setImmediate);
  assert.equal(looks, 2, 'in the next turn, once');
  await ended.promise;
  assert.deepEqual(told.slice(0, NAMES.length).toSorted(), NAMES.toSorted());
  assert.equal(told.length, 2 * NAMES.length);
});

test('a telling that took long is followed by the next one later, so that what it tells of is not held up by it', async (t) => {
  const { api } = await startKube(t);
  const waits: { readonly delay: number; readonly ring: () => void }[] = [];
  let [now, took, looks, cancelled] = [0, 30, 0, 0];
  const told = Promise.withResolvers<undefined>();
  const announcer = new Announcer({
    ...{ podOf: () => undefined, instance: 'operator-1', nonce: 'ab', log: keptLog() },
    api,
    timers: {
      ...systemTimers,
      now: () => instant(now),
      wakeIn: (delay, ring) => {
        waits.push({ delay, ring });
        return () => {
          cancelled += 1;
        };
      },
    },
    wallNow: () => 0,
    isLeading: () => true,
    look: () => {
      looks += 1;
      now += took;
      return clusterWorld([]);
    },
    newest: { deployment: (decided) => decided, pool: (decided) => decided },
    versionOf: () => '1',
    onWritten: () => undefined,
    onTold: () => {
      told.resolve(undefined);
    },
  });
  announcer.tellSoon();
  await told.promise;
  announcer.tellSoon();
  announcer.tellSoon();
  await new Promise(setImmediate);
  assert.deepEqual([looks, waits.map(({ delay }) => delay)], [1, [60]], 'twice as long, once for all');
  took = 1000;
  waits.shift()?.ring();
  await new Promise(setImmediate);
  announcer.tellSoon();
  assert.deepEqual([looks, waits.map(({ delay }) => delay)], [2, [200]], 'within bounds');
  await announcer.stop();
  assert.equal(cancelled, 1);
});
