import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { milliseconds, seconds } from '../domain/units.ts';
import { ApiUnreachable } from '../kube/kube-api.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { testSeed } from '../testing/seed.ts';
import type { Urgency } from './report-budget.ts';
import { ReportWriter } from './report-writer.ts';

/** What the windows last at least and at most, and the longest back-off, in milliseconds. */
const [SHORTEST, LONGEST, BACK_OFF] = [1000, 1250, 5000];
const BUDGET: Readonly<Record<Urgency, number>> = { canWait: 4, waitedFor: 8 };

interface Step {
  /** After the step before. */
  readonly after: number;
  readonly news: Urgency | 'hurry';
}

interface Course {
  readonly steps: readonly Step[];
  /** How long the writes take, in turn, and which of them fail. */
  readonly takes: readonly number[];
  readonly fails: readonly boolean[];
  readonly chances: readonly number[];
}

interface Write {
  readonly began: number;
  ended: number;
  /** How much of the news it tells. */
  readonly tells: number;
  readonly succeeds: boolean;
}

/** News, numbered from 1 on, and when it came or somebody came to wait for it. */
interface News {
  readonly number: number;
  readonly urgency: Urgency;
  readonly at: number;
}

interface Played {
  readonly writes: readonly Write[];
  readonly news: readonly News[];
  readonly delays: readonly number[];
}

const often = <T>(usual: T, other: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(other) });

const course = (fails: fc.Arbitrary<boolean>): fc.Arbitrary<Course> =>
  fc.record({
    steps: fc.array(
      fc.record({
        after: fc.constantFrom(0, 0, 1, 10, 40, 100, 250, 1100),
        news: fc.constantFrom<Step['news']>('canWait', 'canWait', 'waitedFor', 'hurry'),
      }),
      { minLength: 10, maxLength: 60 },
    ),
    takes: fc.array(fc.constantFrom(0, 2, 30, 300), { minLength: 1, maxLength: 8 }),
    fails: fc.array(fails, { minLength: 1, maxLength: 8 }),
    chances: fc.array(fc.constantFrom(0, 0.5, 0.99), { minLength: 1, maxLength: 5 }),
  });

/** The n-th of what comes round again and again. */
function turn<T>(values: readonly T[], n: number): T {
  const value = values[n % values.length];
  assert.ok(value !== undefined);
  return value;
}

async function play({ steps, takes, fails, chances }: Course): Promise<Played> {
  const manual = new ManualTimers();
  let drawn = 0;
  const { now, wakeIn } = manual;
  const timers = { now, wakeIn, random: () => turn(chances, (drawn += 1)) };
  const writes: Write[] = [];
  const news: News[] = [];
  let known = 0;
  const write = async (): Promise<void> => {
    const succeeds = !turn(fails, writes.length);
    const one: Write = { began: now(), ended: Infinity, tells: known, succeeds };
    const lasts = milliseconds(turn(takes, writes.length));
    writes.push(one);
    await new Promise<void>((resolve) => wakeIn(lasts, resolve));
    one.ended = now();
    if (!succeeds) throw new ApiUnreachable('nobody answers');
  };
  const writer = new ReportWriter({
    write,
    isWorthRefreshing: () => false,
    onTakenOver: assert.ifError,
    timers,
    log: keptLog(),
  });
  const started = writer.start();
  for (const step of steps) {
    await manual.pass(milliseconds(step.after));
    if (step.news === 'hurry') writer.hurry();
    else writer.changed(step.news);
    if (step.news !== 'hurry') known += 1;
    const told = writes.at(-1)?.tells ?? 0;
    if (step.news !== 'hurry' || told < known) {
      news.push({ number: known, urgency: step.news === 'canWait' ? 'canWait' : 'waitedFor', at: now() });
    }
  }
  // Less than what an empty report is written again after: nobody would let such a write end.
  await manual.pass(seconds(40));
  await started;
  await writer.stop();
  return { writes, news, delays: news.map((one) => delayOf(one, writes)) };
}

/** The first write that tells it. */
const tellerOf = ({ number }: News, writes: readonly Write[]): number =>
  writes.findIndex(({ tells }) => tells >= number);

/** From when news came, or from the end of the write that was on its way then, to the write that tells it. */
function delayOf(news: News, writes: readonly Write[]): number {
  const index = tellerOf(news, writes);
  const [teller, last] = [writes[index], writes[index - 1]];
  assert.ok(teller !== undefined, 'it is never told');
  return teller.began - Math.max(news.at, last === undefined ? 0 : last.ended);
}

/** How many writes had ended within the longest window before a moment. */
const recent = (writes: readonly Write[], at: number): number =>
  writes.filter(({ ended }) => ended <= at && ended > at - LONGEST).length;

function neverTooMany(writes: readonly Write[], news: readonly News[]): void {
  writes.forEach(({ began }, index) => {
    const [before, last] = [writes[index - BUDGET.waitedFor], writes[index - 1]];
    assert.ok(last === undefined || began >= last.ended, 'one at a time');
    assert.ok(before === undefined || began - before.ended >= SHORTEST, 'eight in a window');
    const plainBefore = writes[index - BUDGET.canWait];
    const isUrgent =
      last?.succeeds === false ||
      news.some((one) => one.urgency === 'waitedFor' && tellerOf(one, writes) === index && one.at <= began);
    assert.ok(
      isUrgent || plainBefore === undefined || began - plainBefore.ended >= SHORTEST,
      'four where nobody waits',
    );
  });
}

test('what somebody waits for is held up by nothing but the write on its way while its budget lasts, no other news is told late, and never too often', async () => {
  let [early, late] = [0, 0];
  const property = fc.asyncProperty(course(fc.constant(false)), async (chosen) => {
    const { writes, news, delays } = await play(chosen);
    neverTooMany(writes, news);
    assert.equal(writes.at(-1)?.tells, news.at(-1)?.number ?? 0, 'the last write tells all');
    news.forEach(({ urgency, at }, index) => {
      const delay = delays[index];
      assert.ok(delay !== undefined && delay <= LONGEST);
      const used = recent(writes, at);
      if (urgency === 'waitedFor' && used < BUDGET.waitedFor - 1) assert.equal(delay, 0);
      if (urgency === 'waitedFor' && used >= BUDGET.canWait && delay === 0) early += 1;
      if (delay > 0) late += 1;
    });
  });
  await fc.assert(property, { seed: testSeed(), numRuns: 150 });
  assert.ok(early > 50 && late > 50, `${early} were told before plain news could be, ${late} had to wait`);
});

test('whatever fails, all news is told in the end, and a failed write counts as one', async () => {
  let failed = 0;
  const property = fc.asyncProperty(course(often(false, true)), async (chosen) => {
    fc.pre(chosen.fails.includes(false));
    const { writes, news, delays } = await play(chosen);
    neverTooMany(writes, news);
    const last = writes.at(-1);
    assert.ok(last?.succeeds === true && last.tells === (news.at(-1)?.number ?? 0));
    for (const delay of delays) assert.ok(delay <= BACK_OFF);
    failed += writes.filter(({ succeeds }) => !succeeds).length;
  });
  await fc.assert(property, { seed: testSeed(), numRuns: 100 });
  assert.ok(failed > 20, `only ${failed} writes have failed`);
});
