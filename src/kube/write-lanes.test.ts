import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { milliseconds, minutes, seconds } from '../domain/units.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { EagerTimers, ManualTimers } from '../testing/manual-timers.ts';
import { ApiError, ApiUnreachable } from './kube-api.ts';
import { WriteLanes, type LaneTask } from './write-lanes.ts';

const apiError = (status: number, retryAfter?: number): ApiError =>
  new ApiError({ status, reason: 'R', message: `status ${status}`, retryAfter });

function eagerLanes() {
  const timers = new EagerTimers(seconds(60), () => 0.999);
  const log = keptLog();
  return { timers, log, lanes: new WriteLanes({ timers, log }) };
}

function manualLanes() {
  const timers = new ManualTimers();
  return { timers, lanes: new WriteLanes({ timers, log: keptLog() }) };
}

test('tasks of one key run in order and never together, those of others side by side', async () => {
  const { lanes } = eagerLanes();
  const story: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const task = (name: string, until?: Promise<undefined>) => async () => {
    story.push(`${name} begins`);
    await until;
    story.push(`${name} ends`);
    return 'done' as const;
  };
  const all = [lanes.run('a', task('a1', gate.promise)), lanes.run('a', task('a2')), lanes.run('b', task('b1'))];
  await all[2];
  assert.deepEqual(story, ['a1 begins', 'b1 begins', 'b1 ends']);
  assert.ok(lanes.isBusy('a') && !lanes.isBusy('b'));
  gate.resolve(undefined);
  assert.deepEqual(await Promise.all(all), [{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }]);
  assert.deepEqual(story.slice(3), ['a1 ends', 'a2 begins', 'a2 ends']);
  assert.ok(!lanes.isBusy('a'));
});

test('what is temporary is tried again with growing pauses, at least as long as the server asks for', async () => {
  const { lanes, timers, log } = eagerLanes();
  const failures: Error[] = [
    new ApiUnreachable('no answer'),
    apiError(503),
    apiError(429, 20_000),
    ...Array.from({ length: 7 }, () => apiError(500)),
  ];
  const end = await lanes.run('a', async () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return Promise.resolve('done');
  });
  assert.deepEqual(end, { kind: 'done' });
  const limits = [200, 400, 20_000, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
  assert.deepEqual(
    timers.delays.map((delay) => Math.ceil(delay / 100) * 100),
    limits,
  );
  assert.equal(log.lines.length, 10);
});

test('a refusal ends the task at once, and the next one of the key still runs', async () => {
  const { lanes, timers } = eagerLanes();
  for (const error of [apiError(403), apiError(409), apiError(422), new TypeError('a bug')]) {
    const end = await lanes.run('a', async () => Promise.reject(error));
    assert.deepEqual(end, { kind: 'refused', error });
  }
  assert.deepEqual(await lanes.run('a', async () => Promise.resolve('done')), { kind: 'done' });
  assert.deepEqual(timers.delays, []);
});

/** A task whose attempts end like this, one after the other; the last one is done. */
function ending(...ends: readonly ('more' | 'conflict' | 'later' | Error)[]): LaneTask {
  const left = [...ends];
  return async () => {
    const end = left.shift();
    return end instanceof Error ? Promise.reject(end) : Promise.resolve(end ?? 'done');
  };
}

test('after conflicts the pauses are short, also behind failures and between them, whose own go on growing', async () => {
  const { lanes, timers } = eagerLanes();
  const [failure, conflict] = [apiError(500), 'conflict'] as const;
  await lanes.run('a', ending(failure, conflict, 'later', conflict, conflict, failure, conflict, conflict, conflict));
  assert.deepEqual(timers.delays.map(Math.ceil), [200, 10, 400, 20, 40, 800, 80, 160, 250]);
});

test('where more is wanted by now it goes on at once, and the pauses begin anew', async () => {
  const { lanes, timers } = eagerLanes();
  const [failure, conflict] = [apiError(500), 'conflict'] as const;
  await lanes.run('a', ending(failure, failure, conflict, conflict, 'more', 'more', failure, conflict));
  assert.deepEqual(timers.delays.map(Math.ceil), [200, 400, 10, 20, 200, 10]);
});

test('a new task or a wake ends the pause of its lane, and of no other', async () => {
  const { lanes, timers } = manualLanes();
  const tries = { a: 0, b: 0 };
  const failing = (key: 'a' | 'b', until: number) => async () => {
    tries[key] += 1;
    return tries[key] < until ? Promise.reject(new ApiUnreachable('x')) : Promise.resolve('done' as const);
  };
  const a = lanes.run('a', failing('a', 3));
  void lanes.run('b', failing('b', 2));
  await timers.armed(milliseconds(100));
  lanes.wake('a');
  await timers.armed(milliseconds(200));
  assert.deepEqual(tries, { a: 2, b: 1 });
  const second = lanes.run('a', async () => Promise.resolve('done'));
  await Promise.all([a, second]);
  assert.deepEqual(tries, { a: 3, b: 1 });
  await lanes.close();
});

test('a wake during an attempt is not lost', async () => {
  const { lanes, timers } = manualLanes();
  const begun = Promise.withResolvers<undefined>();
  const answer = Promise.withResolvers<undefined>();
  let tries = 0;
  const end = lanes.run('a', async () => {
    tries += 1;
    if (tries > 1) return 'done';
    begun.resolve(undefined);
    await answer.promise;
    throw new ApiUnreachable('x');
  });
  await begun.promise;
  lanes.wake('a');
  answer.resolve(undefined);
  await end;
  assert.equal(tries, 2);
  assert.deepEqual(timers.delays, []);
});

describe('the time for which the API server wants to be left alone', () => {
  it('is waited out whoever wakes the lane, and then a try that is due is made at once', async () => {
    const { lanes, timers } = manualLanes();
    let tries = 0;
    const end = lanes.run('a', async () => {
      tries += 1;
      return tries === 1 ? Promise.reject(apiError(503, 50)) : Promise.resolve('done');
    });
    await timers.armed(milliseconds(50));
    lanes.wake('a');
    const second = lanes.run('a', async () => Promise.resolve('done'));
    await timers.pass(milliseconds(49));
    assert.equal(tries, 1);
    timers.advance(milliseconds(1));
    await Promise.all([end, second]);
    assert.equal(tries, 2);
  });

  it('is all that cannot be cut short: a pause that is longer ends with a wake', async () => {
    const { lanes, timers } = manualLanes();
    const end = lanes.run('a', ending(apiError(429, 30)));
    await timers.armed(milliseconds(30));
    timers.advance(milliseconds(30));
    await timers.armed(milliseconds(70));
    lanes.wake('a');
    assert.deepEqual(await end, { kind: 'done' });
  });

  it('ends when the lanes are closed', async () => {
    const { lanes, timers } = manualLanes();
    const end = lanes.run('a', ending(apiError(429, 10_000)));
    await timers.armed(seconds(10));
    await lanes.close();
    assert.deepEqual(await end, { kind: 'closed' });
    assert.deepEqual(timers.delays, []);
  });

  it('is two minutes at most, and there is no try before it is over, whenever somebody wakes the lane', async () => {
    const answers = fc.array(fc.option(fc.constantFrom(1, 50, 1000, 86_400_000), { nil: undefined }), { maxLength: 8 });
    const steps = fc.array(fc.constantFrom('wake' as const, 'run' as const, 1, 49, 1000, 119_000), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(answers, steps, async (asked, all) => {
        const { lanes, timers } = manualLanes();
        const left = [...asked];
        let notBefore = 0;
        const task: LaneTask = async () => {
          assert.ok(timers.now() >= notBefore);
          if (left.length === 0) return Promise.resolve('done');
          const retryAfter = left.shift();
          notBefore = timers.now() + Math.min(retryAfter ?? 0, 120_000);
          return Promise.reject(apiError(429, retryAfter));
        };
        const ends = [lanes.run('a', task)];
        for (const step of all) {
          if (step === 'wake') lanes.wake('a');
          else if (step === 'run') ends.push(lanes.run('a', task));
          else await timers.pass(milliseconds(step));
          await nextTurn();
        }
        await timers.pass(minutes(20));
        assert.ok((await Promise.all(ends)).every(({ kind }) => kind === 'done'));
      }),
    );
  });
});

test('close waits for what is on its way, ends the rest as closed, and starts nothing any more', async () => {
  const { lanes, timers } = manualLanes();
  const answer = Promise.withResolvers<'done'>();
  let tries = 0;
  const running = lanes.run('a', async () => answer.promise);
  const behind = lanes.run('a', async () => Promise.reject(new Error('must not run')));
  const pausing = lanes.run('b', async () => {
    tries += 1;
    return Promise.reject(new ApiUnreachable('x'));
  });
  await timers.armed(milliseconds(100));
  let isClosed = false;
  const closing = lanes.close().then(() => {
    isClosed = true;
  });
  assert.deepEqual(await pausing, { kind: 'closed' });
  assert.ok(!isClosed);
  answer.resolve('done');
  await closing;
  assert.deepEqual(await Promise.all([running, behind]), [{ kind: 'done' }, { kind: 'closed' }]);
  assert.deepEqual(await lanes.run('c', async () => Promise.reject(new Error('must not run'))), { kind: 'closed' });
  assert.equal(tries, 1);
  assert.deepEqual(timers.delays, []);
});

describe('lanes that do only so much at once', () => {
  const bounded = () => {
    const lanes = new WriteLanes({ timers: new EagerTimers(seconds(60)), log: keptLog(), atOnce: 2 });
    const begun: string[] = [];
    const answers = new Map<string, () => void>();
    const ends = ['a', 'b', 'c', 'd'].map(async (key) =>
      lanes.run(key, async () => {
        begun.push(key);
        await new Promise<void>((resolve) => answers.set(key, resolve));
        return 'done';
      }),
    );
    const answer = async (key: string): Promise<void> => {
      answers.get(key)?.();
      await new Promise(setImmediate);
    };
    return { lanes, begun, ends, answer };
  };

  it('begin the next attempt when one has ended, the one that has waited longest first', async () => {
    const { begun, ends, answer } = bounded();
    await new Promise(setImmediate);
    assert.deepEqual(begun, ['a', 'b']);
    await answer('b');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    for (const key of ['a', 'c', 'd']) await answer(key);
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    assert.ok((await Promise.all(ends)).every(({ kind }) => kind === 'done'));
  });

  it('begin none of those that wait when they are closed', async () => {
    const { lanes, begun, ends, answer } = bounded();
    await new Promise(setImmediate);
    const closing = lanes.close();
    for (const key of ['a', 'b']) await answer(key);
    await closing;
    assert.deepEqual(begun, ['a', 'b']);
    assert.deepEqual(
      (await Promise.all(ends)).map(({ kind }) => kind),
      ['done', 'done', 'closed', 'closed'],
    );
  });
});
