import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { milliseconds } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { clusterWorld } from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { Announcer, type AnnouncerParts } from './announcer.ts';

const STATUSES_WAIT = milliseconds(40);

const NEVER = async (): Promise<KubeObject> => new Promise(() => undefined);
const REFUSED = async (): Promise<KubeObject> => Promise.reject(new Error('refused'));

/** `replaceStatus`: how the API server takes statuses. */
const announce = async (
  t: TestContext,
  parts: Pick<AnnouncerParts, 'timers' | 'look'> & Partial<AnnouncerParts>,
  replaceStatus: () => Promise<KubeObject> = NEVER,
): Promise<Announcer> => {
  const { api } = await startKube(t);
  return new Announcer({
    ...{ podOf: () => undefined, instance: 'operator-1', nonce: 'ab', log: keptLog() },
    api: { ...api, replaceStatus },
    ...{ wallNow: () => 0, isLeading: () => true, versionOf: () => '1' },
    newest: { deployment: (decided) => decided, pool: (decided) => decided },
    ...{ onWritten: () => undefined, onTold: () => undefined },
    ...parts,
  });
};

test('of many ModelDeployments is told in turns with all else, and of what changes meanwhile after that, once', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const world = clusterWorld(names.map((name) => declared(name, [declaredPreset(name)])));
  const timers = new ManualTimers();
  const told: string[] = [];
  let looks = 0;
  const announcer = await announce(t, {
    timers: {
      random: timers.random,
      wakeIn: timers.wakeIn,
      // Each look at the clock is a millisecond later.
      now: () => {
        timers.advance(milliseconds(1));
        return timers.now();
      },
    },
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
  });
  announcer.tellSoon();
  await nextTurn();
  assert.deepEqual(
    [looks, told.length],
    [1, 0],
    'looked at in the next turn, and told when the decision has had its own',
  );
  timers.advance(STATUSES_WAIT);
  await nextTurn();
  assert.ok(told.length > 0 && told.length < names.length, `${told.length} at once`);
  announcer.tellSoon();
  announcer.tellSoon();
  await timers.pass(milliseconds(10));
  assert.equal(looks, 2, 'once');
  while (told.length < 2 * names.length) await timers.pass(STATUSES_WAIT);
  assert.deepEqual(told.slice(0, names.length).toSorted(), names.toSorted());
  assert.equal(told.length, 2 * names.length);
});

test('after a look that took long the next one waits, so that what it tells of is not held up by it', async (t) => {
  const timers = new ManualTimers();
  let [takes, looks] = [30, 0];
  const announcer = await announce(
    t,
    {
      timers,
      look: () => {
        looks += 1;
        timers.advance(milliseconds(takes));
        return clusterWorld([]);
      },
    },
    REFUSED,
  );
  announcer.tellSoon();
  await nextTurn();
  assert.equal(looks, 1);
  takes = 1000;
  announcer.tellSoon();
  announcer.tellSoon();
  await timers.pass(milliseconds(59));
  assert.equal(looks, 1, 'twice as long as the first has taken');
  await timers.pass(milliseconds(1));
  assert.equal(looks, 2, 'once for all');
  announcer.tellSoon();
  await timers.pass(milliseconds(199));
  assert.equal(looks, 2);
  await timers.pass(milliseconds(1));
  assert.equal(looks, 3, 'within bounds');
  announcer.tellSoon();
  await announcer.stop();
  await timers.pass(milliseconds(200));
  assert.equal(looks, 3, 'not after its end');
});
