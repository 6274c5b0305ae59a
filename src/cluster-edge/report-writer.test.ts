import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { milliseconds, seconds } from '../domain/units.ts';
import { ApiError, ApiUnreachable } from '../kube/kube-api.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { TakenOver } from './own-object.ts';
import { ReportWriter } from './report-writer.ts';

/** A quarter of it is chance, and chance is always the middle. */
const WINDOW = milliseconds(1125);
const REFRESH = seconds(15);

interface Bed {
  readonly writer: ReportWriter;
  readonly timers: ManualTimers;
  readonly log: ReturnType<typeof keptLog>;
  readonly writes: () => number;
  readonly lost: readonly TakenOver[];
  error: Error | undefined;
  isWorthRefreshing: boolean;
}

function aWriter(t: TestContext): Bed {
  const [timers, log, lost] = [new ManualTimers(), keptLog(), [] as TakenOver[]];
  let writes = 0;
  const writer = new ReportWriter({
    write: async () => {
      writes += 1;
      return bed.error === undefined ? Promise.resolve() : Promise.reject(bed.error);
    },
    isWorthRefreshing: () => bed.isWorthRefreshing,
    onTakenOver: (error) => lost.push(error),
    timers,
    log,
  });
  t.after(async () => writer.stop());
  const bed: Bed = { writer, timers, log, writes: () => writes, lost, error: undefined, isWorthRefreshing: false };
  return bed;
}

test('news that can wait is written at once, four times in a second, and what comes beyond when the first of them is a second old', async (t) => {
  const { writer, timers, writes } = aWriter(t);
  await writer.start();
  for (let written = 2; written <= 4; written += 1) {
    await timers.armed(REFRESH);
    timers.advance(milliseconds(100));
    writer.changed('canWait');
    await timers.rearmed(REFRESH);
  }
  assert.equal(writes(), 4);
  for (let n = 0; n < 5; n += 1) writer.changed('canWait');
  await timers.armed(milliseconds(WINDOW - 300));
  timers.advance(milliseconds(WINDOW - 301));
  assert.equal(writes(), 4);
  timers.advance(milliseconds(1));
  await timers.rearmed(REFRESH);
  assert.equal(writes(), 5);
});

test('what somebody waits for is written at once, also where other news has used up its four, and eight times in a second at most', async (t) => {
  const { writer, timers, writes } = aWriter(t);
  await writer.start();
  for (let written = 2; written <= 8; written += 1) {
    await timers.armed(REFRESH);
    writer.changed('canWait');
    if (written > 4) {
      await timers.armed(WINDOW);
      writer.changed('waitedFor');
    }
    await timers.rearmed(REFRESH);
    assert.equal(writes(), written);
  }
  writer.changed('waitedFor');
  await timers.armed(WINDOW);
  timers.advance(milliseconds(WINDOW - 1));
  assert.equal(writes(), 8);
  timers.advance(milliseconds(1));
  await timers.rearmed(REFRESH);
  assert.equal(writes(), 9);
});

test('news that waits is hurried when somebody comes to wait for it, and nothing is written where there is no news', async (t) => {
  const { writer, timers, writes } = aWriter(t);
  await writer.start();
  for (let written = 2; written <= 4; written += 1) {
    await timers.armed(REFRESH);
    writer.changed('canWait');
    await timers.rearmed(REFRESH);
  }
  writer.hurry();
  assert.deepEqual(timers.delays, [REFRESH]);
  writer.changed('canWait');
  await timers.armed(WINDOW);
  writer.hurry();
  await timers.rearmed(REFRESH);
  assert.equal(writes(), 5);
});

test('what has not changed is written again every 15 s while it grows old, and else once a minute', async (t) => {
  const bed = aWriter(t);
  await bed.writer.start();
  await bed.timers.armed(REFRESH);
  bed.timers.advance(REFRESH);
  await bed.timers.armed(REFRESH);
  assert.equal(bed.writes(), 1);
  bed.isWorthRefreshing = true;
  bed.timers.advance(REFRESH);
  await bed.timers.rearmed(REFRESH);
  assert.equal(bed.writes(), 2);
  bed.isWorthRefreshing = false;
  for (const writes of [2, 2, 2, 3, 3, 3, 3, 4]) {
    await bed.timers.pass(REFRESH);
    await bed.timers.armed(REFRESH);
    assert.equal(bed.writes(), writes);
  }
});

test('a write that fails is tried until it succeeds, and told once', async (t) => {
  const bed = aWriter(t);
  bed.error = new ApiUnreachable('nobody answers');
  const started = bed.writer.start();
  for (const delay of [125, 250, 500, 1000, 2000, 2500, 2500]) {
    await bed.timers.armed(milliseconds(delay));
    bed.timers.advance(milliseconds(delay));
    await bed.timers.disarmed(milliseconds(delay));
  }
  bed.error = undefined;
  await bed.timers.armed(milliseconds(2500));
  bed.timers.advance(milliseconds(2500));
  await started;
  const told = [
    'warn the report could not be written; trying again: nobody answers',
    'info the report is written again',
  ];
  assert.deepEqual(bed.log.lines, told);
  await bed.timers.armed(REFRESH);
  bed.error = new ApiUnreachable('nobody answers');
  bed.writer.changed('waitedFor');
  await bed.timers.armed(milliseconds(125));
  bed.error = undefined;
  bed.timers.advance(milliseconds(125));
  await bed.timers.armed(REFRESH);
  assert.deepEqual(bed.log.lines, [...told, ...told], 'the next failure is the first of its own');
});

test('where others write to the report all the time it is tried again soon, as often as its budget allows', async (t) => {
  const bed = aWriter(t);
  bed.error = new ApiError({ status: 409, reason: 'Conflict', message: 'it has changed' });
  const started = bed.writer.start();
  for (const delay of [5, 10, 20, 40, 80, 125, 125]) {
    await bed.timers.armed(milliseconds(delay));
    bed.timers.advance(milliseconds(delay));
    await bed.timers.disarmed(milliseconds(delay));
  }
  const rest = milliseconds(WINDOW - 405);
  await bed.timers.armed(rest);
  bed.error = undefined;
  bed.timers.advance(rest);
  await started;
  assert.equal(bed.writes(), 9);
});

test('nothing is written any more when another edge writes the report', async (t) => {
  const bed = aWriter(t);
  bed.error = new TakenOver('edgereports', 'edge-1');
  await bed.writer.start();
  assert.deepEqual(bed.lost, [bed.error]);
  bed.writer.changed('waitedFor');
  await bed.writer.stop();
  assert.equal(bed.writes(), 1);
});
