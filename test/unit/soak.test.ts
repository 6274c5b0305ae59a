import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCleanup } from '../support/cleanup-stack.ts';
import { CorralProcess } from '../prove/operator-trials/operator-process.ts';
import { judgeRests, slopeOf, tellRests, type Rests } from '../prove/soak-trials/at-rest.ts';
import { figuresOf, SAYS_FIGURES, type Figures } from '../prove/soak-trials/figures.ts';

const MIB = 1024 * 1024;
const steady: Figures = {
  ...{ objectBytes: 20 * MIB, codeBytes: 6 * MIB, rssBytes: 90 * MIB },
  ...{ files: 30, timers: 4, sockets: 12, listeners: 3 },
};

const WARM_UP: readonly Figures[] = [steady, steady, steady, steady];

/** Looks of which the last one differs. */
const looks = (last: Partial<Figures>): readonly Figures[] => [...WARM_UP, steady, { ...steady, ...last }];

/** Of a process that is warm after its warm-up. */
const restsOf = (all: readonly Figures[]): Rests => ({ name: 'it', warm: WARM_UP.length, looks: all });

/** Each time that it gets SIGUSR1 it keeps a timer, a listener and 4 MiB more. */
const LEAKS = `
const kept = [];
process.on('SIGUSR1', () => {
  kept.push(new Array(512 * 1024).fill(0));
  setInterval(() => undefined, 1e6);
  process.on('exit', () => kept.length);
  console.log(JSON.stringify({ msg: 'leaked' }));
});
setInterval(() => undefined, 1e6);
console.log(JSON.stringify({ msg: 'ready' }));`;

describe('what a process holds at rest', () => {
  it('is as before within bounds', () => {
    assert.deepEqual(judgeRests(restsOf(looks({ objectBytes: 20.5 * MIB, codeBytes: 7 * MIB, files: 31 }))), []);
  });

  it('may be more at the end of a warm-up', () => {
    assert.deepEqual(judgeRests(restsOf([{ ...steady, objectBytes: MIB, files: 1 }, ...looks({})])), []);
  });

  for (const [figure, more] of [
    ['objectBytes', 2 * MIB],
    ['codeBytes', 3 * MIB],
    ['rssBytes', 40 * MIB],
    ['files', 3],
    ['timers', 3],
    ['sockets', 3],
    ['listeners', 1],
  ] as const) {
    it(`is a failure where ${figure} has grown`, () => {
      const [failure = '', ...others] = judgeRests(restsOf(looks({ [figure]: steady[figure] + more })));
      assert.match(failure, new RegExp(`^it: ${figure} has grown from `, 'u'));
      assert.deepEqual(others, []);
    });
  }

  it('is not told from too few looks', () => {
    assert.throws(() => judgeRests(restsOf([...WARM_UP, steady])), /5 looks are too few: it takes 6/u);
  });

  it('is not judged of a process that has ended early', () => {
    const { what, failures } = tellRests(restsOf([steady]), 1);
    assert.deepEqual([what, failures], ['it at rest: it did not live long enough to tell', []]);
  });

  it('is told with the slope of its objects by the hour', () => {
    assert.equal(slopeOf([1, 3, 2, 6]), 1.4);
    const grown = [0, 1, 2].map((more) => ({ ...steady, objectBytes: (20 + more) * MIB }));
    const { what, runs } = tellRests(restsOf([...WARM_UP, ...grown]), 2);
    assert.match(
      what,
      /^it at rest: objects 20\.0, 21\.0, 22\.0 MiB \(30\.0 per hour\), compiled code 6\.0 to 6\.0 MiB, RSS 90\.0 to 90\.0 MiB/u,
    );
    assert.equal(runs, 7);
  });

  it('is said by the process itself, of what nothing has thrown away', async () => {
    await withCleanup(async (t) => {
      const argv = [process.execPath, ...SAYS_FIGURES, '--eval', LEAKS];
      const leaking = new CorralProcess(t, { argv, env: {} });
      await leaking.log.waitFor({ msg: 'ready' });
      const before = await figuresOf(leaking);
      leaking.kill('SIGUSR1');
      await leaking.log.waitFor({ msg: 'leaked' });
      const after = await figuresOf(leaking);
      assert.deepEqual([after.timers - before.timers, after.listeners - before.listeners], [1, 1]);
      assert.ok(after.objectBytes - before.objectBytes > 3 * MIB, `${after.objectBytes} after ${before.objectBytes}`);
      assert.ok(before.files > 0);
    });
  });
});
