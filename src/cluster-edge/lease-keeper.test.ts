import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seconds } from '../domain/units.ts';
import { ApiUnreachable } from '../kube/kube-api.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { TakenOver } from './own-object.ts';

test('a lease is renewed every 3 s, and that it could be again after it could not is told once', async (t) => {
  const [timers, log] = [new ManualTimers(), keptLog()];
  let [isAway, renewals, reached] = [false, 0, 0];
  const write = async (): Promise<void> => {
    renewals += 1;
    return isAway ? Promise.reject(new ApiUnreachable('nobody answers')) : Promise.resolve();
  };
  const onReached = (): void => {
    reached += 1;
  };
  const onTakenOver = (): void => assert.fail('nobody has taken it');
  const keeper = new LeaseKeeper({
    lease: { write },
    bootId: 'b',
    wallClock: () => 0,
    timers,
    log,
    onReached,
    onTakenOver,
  });
  t.after(async () => keeper.stop());
  keeper.start();
  const pass = async (): Promise<void> => {
    await timers.armed(seconds(3));
    timers.advance(seconds(3));
    await timers.armed(seconds(3));
  };
  await pass();
  assert.deepEqual([renewals, reached], [2, 0]);
  isAway = true;
  await pass();
  await pass();
  assert.deepEqual([renewals, reached], [4, 0]);
  assert.equal(log.lines.length, 1);
  isAway = false;
  await pass();
  await pass();
  assert.deepEqual([renewals, reached], [6, 1]);
});

test("a lease that is another's is told once, and asked about each time until it is ours again", async (t) => {
  const [timers, log] = [new ManualTimers(), keptLog()];
  let [isTaken, asked, reached] = [true, 0, 0];
  const write = async (): Promise<void> =>
    isTaken ? Promise.reject(new TakenOver('leases', 'edge-1')) : Promise.resolve();
  const keeper = new LeaseKeeper({
    ...{ lease: { write }, bootId: 'b', wallClock: () => 0, timers, log },
    onReached: () => {
      reached += 1;
    },
    onTakenOver: () => {
      asked += 1;
    },
  });
  t.after(async () => keeper.stop());
  keeper.start();
  await timers.armed(seconds(3));
  const pass = async (): Promise<void> => {
    timers.advance(seconds(3));
    await timers.armed(seconds(3));
  };
  await pass();
  assert.deepEqual([asked, reached], [2, 0]);
  assert.deepEqual(log.lines, [
    'warn the lease could not be renewed; trying again: leases edge-1 is written by another process',
  ]);
  isTaken = false;
  await pass();
  assert.deepEqual([asked, reached, log.lines.length], [2, 1, 1]);
});
