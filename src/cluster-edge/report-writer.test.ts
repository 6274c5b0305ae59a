import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { milliseconds, seconds } from '../domain/units.ts';
import { ApiUnreachable } from '../kube/kube-api.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { TakenOver } from './own-object.ts';
import { ReportWriter } from './report-writer.ts';

/** A quarter of the gap is chance, and chance is always the middle. */
const GAP = milliseconds(281.25);
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

test('a change is written at once, and the next after a gap, however many there are', async (t) => {
  const { writer, timers, writes } = aWriter(t);
  await writer.start();
  assert.equal(writes(), 1);
  timers.advance(GAP);
  await timers.armed(REFRESH);
  writer.changed();
  await timers.armed(GAP);
  assert.equal(writes(), 2);
  for (let n = 0; n < 5; n += 1) writer.changed();
  timers.advance(milliseconds(200));
  assert.equal(writes(), 2);
  timers.advance(milliseconds(100));
  await timers.rearmed(GAP);
  assert.equal(writes(), 3);
});

test('what has not changed is written again every 15 s while it grows old, and else never', async (t) => {
  const bed = aWriter(t);
  await bed.writer.start();
  bed.timers.advance(GAP);
  await bed.timers.armed(REFRESH);
  bed.timers.advance(REFRESH);
  await bed.timers.armed(REFRESH);
  assert.equal(bed.writes(), 1);
  bed.isWorthRefreshing = true;
  bed.timers.advance(REFRESH);
  await bed.timers.armed(GAP);
  assert.equal(bed.writes(), 2);
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
  assert.deepEqual(bed.log.lines, [
    'warn the report could not be written; trying again: nobody answers',
    'info the report is written again',
  ]);
});

test('nothing is written any more when another edge writes the report', async (t) => {
  const bed = aWriter(t);
  bed.error = new TakenOver('edgereports', 'edge-1');
  await bed.writer.start();
  assert.deepEqual(bed.lost, [bed.error]);
  bed.writer.changed();
  await bed.writer.stop();
  assert.equal(bed.writes(), 1);
});
