import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName, poolName, replicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Failure, Replica, ReplicaState } from '../domain/replica.ts';
import { NO_RESOURCES, type Resources } from '../domain/resources.ts';
import { instant } from '../domain/units.ts';
import {
  aPool,
  aPreset,
  aReplica,
  drainingSince,
  readySince,
  scaled,
  startingSince,
  stoppingSince,
} from '../testing/worlds.ts';
import { hurry, judge, limitsOf, noteRejection, noteStart, stillSpeaks, type Rejection } from './learned-limits.ts';

const gpus = (amount: number): Resources => new Map([['gpu', amount]]);
const [gpu0, gpu1] = [binName('gpu-0'), binName('gpu-1')];
const pool = aPool({
  bins: [
    { name: gpu0, size: undefined },
    { name: gpu1, size: undefined },
  ],
});
const a = aPreset('a', { footprint: gpus(2) });
const b = aPreset('b', { footprint: gpus(3) });
const c = aPreset('c', { footprint: gpus(5) });
const catalog = { pools: [pool, aPool({ name: poolName('other') })], presets: [a, b, c] };

const failureAt = (at: number): Failure => ({
  code: 'Unschedulable',
  reason: 'no node takes the pod',
  exitCode: undefined,
  logTail: [],
  at: instant(at),
  startedAt: undefined,
  readyFor: undefined,
});
const failed: ReplicaState = { kind: 'failed', failure: failureAt(0) };

const inBin = (preset: Preset, state: ReplicaState, bin: Replica['bin'], id = `${preset.model}#1`): Replica => ({
  ...aReplica(preset, state),
  id: replicaId(id),
  bin,
});

/** `a` is refused at `now`, in `gpu-0` unless told otherwise. */
function refused(
  now: number,
  previous?: Rejection,
  others: readonly Replica[] = [],
  replica = inBin(a, failed, gpu0),
): Rejection {
  const surroundings = { catalog, replicas: [replica, ...others], now: instant(now) };
  return noteRejection(previous, { replica, failure: failureAt(now) }, surroundings);
}

const limitsAt = (rejection: Rejection, now: number): ReturnType<typeof limitsOf> =>
  limitsOf(new Map([[a.uid, rejection]]), instant(now));

describe('what a refusal of the scheduler teaches', () => {
  it('is all that held capacity in the bin, whatever its state, and what was refused', () => {
    const others = [
      inBin(b, readySince(0), gpu0, 'b#1'),
      inBin(c, stoppingSince(0), gpu0, 'c#1'),
      inBin(b, drainingSince(0), undefined, 'b#2'),
      inBin(c, failed, gpu0, 'c#2'),
      inBin(c, startingSince(0), gpu1, 'c#3'),
      { ...inBin(c, readySince(0), gpu0, 'c#4'), pool: poolName('other') },
    ];
    const [limit, ...more] = limitsAt(refused(100, undefined, others), 100);
    assert.deepEqual(more, []);
    assert.deepEqual(limit, {
      pool: pool.name,
      bin: gpu0,
      preset: a.uid,
      footprint: gpus(2),
      total: gpus(2 + 3 + 5 + 3),
      replicas: 4,
      until: 10_100,
      spent: false,
    });
  });
  it('counts what runs as it is declared by what that says now, and anything else by what it was started with', () => {
    const others = [
      { ...inBin(b, readySince(0), gpu0, 'b#1'), footprint: gpus(100) },
      { ...inBin(c, readySince(0), gpu0, 'c#1'), footprint: gpus(100), rendered: 'older' },
      inBin(aPreset('gone', { footprint: gpus(7) }), readySince(0), gpu0),
    ];
    const [limit] = limitsAt(refused(0, undefined, others), 0);
    assert.deepEqual(limit?.total, gpus(2 + 3 + 100 + 7));
  });
  it('holds for every bin of the pool if nobody knows in which it was', () => {
    const others = [inBin(b, readySince(0), gpu1)];
    const limits = limitsAt(refused(0, undefined, others, inBin(a, failed, undefined)), 0);
    assert.deepEqual(
      limits.map(({ bin, replicas, total }) => [bin, replicas, total]),
      [
        [gpu0, 1, gpus(2)],
        [gpu1, 2, gpus(5)],
      ],
    );
  });
  it('holds for 10 s, doubling to 5 min while refusals follow each other', () => {
    const lengths: number[] = [];
    let [rejection, now]: [Rejection | undefined, number] = [undefined, 0];
    for (let times = 0; times < 7; times += 1) {
      rejection = refused(now, rejection);
      lengths.push(rejection.until - now);
      assert.equal(limitsAt(rejection, rejection.until - 1).length, 1);
      assert.equal(limitsAt(rejection, rejection.until).length, 0);
      now = rejection.until + 5_000;
    }
    assert.deepEqual(lengths, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });
});

describe('that others leave for the sake of a refused one', () => {
  const spent = (rejection: Rejection): boolean => limitsAt(rejection, rejection.at).some((limit) => limit.spent);

  it('is spent when it was started before the limit ended, and refused all the same, however late that is told', () => {
    const first = refused(0);
    assert.ok(!spent(first));
    const second = refused(14_000, noteStart(first, instant(9_000)));
    assert.ok(spent(second));
    assert.equal(second.until - second.at, 20_000);
  });
  it('is not spent by a try after the limit has ended: then nobody had left', () => {
    const again = noteStart(refused(0), instant(10_000));
    assert.ok(!spent(refused(15_000, again)));
  });
  it('is possible again after the limit that says it is spent', () => {
    const second = refused(9_000, noteStart(refused(0), instant(5_000)));
    assert.ok(spent(second));
    assert.ok(!spent(refused(40_000, noteStart(second, second.until))));
  });
  it('is not spent by a sibling that was started before the first refusal, which counts as the same', () => {
    const second = refused(100, refused(0));
    assert.ok(!spent(second));
    assert.equal(second.count, 1);
    const third = refused(9_100, refused(9_000, noteStart(refused(0), instant(5_000))));
    assert.ok(spent(third), 'and stays spent');
    assert.equal(third.count, 2);
  });
  it('is not gained by an order, which only has it tried at once', () => {
    const first = hurry(refused(0), instant(2_000));
    assert.deepEqual(limitsAt(first, 2_000), []);
    assert.ok(!spent(refused(3_000, noteStart(first, instant(2_000)))));
    const second = hurry(refused(9_000, noteStart(refused(0), instant(5_000))), instant(10_000));
    assert.ok(spent(refused(11_000, noteStart(second, instant(10_000)))));
  });
});

describe('waiting for a place', () => {
  const isHopeless = (rejection: Rejection, ...others: readonly Replica[]): boolean =>
    judge(rejection, a, { catalog, replicas: others }).isHopeless;

  it('is of use while somebody is there who may leave, in that bin', () => {
    assert.ok(!isHopeless(refused(0), inBin(b, readySince(0), gpu0)));
    assert.ok(!isHopeless(refused(0), inBin(aPreset('gone'), readySince(0), gpu0)));
    assert.ok(!isHopeless(refused(0), inBin(b, readySince(0), undefined)));
    assert.ok(isHopeless(refused(0)));
    assert.ok(isHopeless(refused(0), inBin(b, readySince(0), gpu1)));
    assert.ok(isHopeless(refused(0), inBin(b, failed, gpu0)));
    assert.ok(isHopeless(refused(0), inBin(a, readySince(0), gpu0, 'a#2')), 'its own do not leave for it');
  });
  it('is of no use where those who are there are always loaded, or of a higher priority', () => {
    for (const other of [scaled(b, { minReplicas: 1 }), { ...b, priority: 1 }]) {
      const replicas = [inBin(other, readySince(0), gpu0)];
      const judged = judge(refused(0), a, { catalog: { ...catalog, presets: [a, other] }, replicas });
      assert.ok(judged.isHopeless);
    }
  });
  it('is of no use when others have left in vain', () => {
    const spent = refused(9_000, noteStart(refused(0), instant(5_000)));
    assert.ok(isHopeless(spent, inBin(b, readySince(0), gpu0)));
  });
});

describe('what the scheduler has said', () => {
  it('is over when a replica has become ready since, and not because one was ready before', () => {
    const rejection = refused(100);
    assert.ok(stillSpeaks(rejection, a, [aReplica(a, readySince(99)), aReplica(b, readySince(101))]));
    assert.ok(!stillSpeaks(rejection, a, [aReplica(a, readySince(100))]));
  });
  it('is over when its preset is declared with another spec, footprint or pool', () => {
    assert.ok(stillSpeaks(refused(0), { ...a, footprint: gpus(2), priority: 7 }, []));
    for (const change of [
      { rendered: 'a-2' },
      { footprint: gpus(1) },
      { footprint: NO_RESOURCES },
      { footprint: new Map([...gpus(2), ['vram', 1]]) },
      { pool: poolName('other') },
    ]) {
      assert.ok(!stillSpeaks(refused(0), { ...a, ...change }, []), JSON.stringify(change));
    }
  });
});
