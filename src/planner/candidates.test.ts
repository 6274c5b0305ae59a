import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import { WHOLE_POOL, type EvictionPolicy, type Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import type { Resources } from '../domain/resources.ts';
import { seconds, type Duration } from '../domain/units.ts';
import { aPool, aPreset, aReplica, planInput, readySince } from '../testing/worlds.ts';
import { plan } from './plan.ts';

const takes = (model: string, vram: number): Preset => aPreset(model, { footprint: new Map([['vram', vram]]) });
const ofSize = (eviction: EvictionPolicy, size: Resources | undefined): Pool =>
  aPool({ maxLoaded: 0, eviction, bins: [{ name: WHOLE_POOL, size }] });

const SMALL = takes('small', 10);
const LARGE = takes('large', 40);
const COMING = takes('coming', 10);

/** Who leaves for `COMING` at 1000, where all are idle since the given times. */
function victims(pool: Pool, idle: readonly (readonly [Preset, number])[]): string[] {
  const input = planInput({
    now: 1_000,
    pools: [pool],
    presets: [COMING, ...idle.map(([preset]) => preset)],
    replicas: idle.map(([preset]) => aReplica(preset, readySince(0))),
    idleSince: new Map(idle.map(([{ uid }, since]) => [uid, since])),
    waitingSince: new Map([[COMING.uid, 999]]),
  });
  return plan(input).actions.flatMap((action) => (action.kind === 'drain' ? [action.replica] : []));
}

test('one of which nobody knows how long its load took leaves for fairness after the pool’s minResidency', () => {
  const a = aPreset('a');
  const leaves = (now: number, loadTime: Duration | undefined): boolean => {
    const state = { ...readySince(1_000), loadTime } as Replica['state'];
    const input = planInput({
      now,
      pools: [aPool({ fairAfter: seconds(1), minResidency: seconds(5) })],
      presets: [COMING, a],
      replicas: [aReplica(a, state)],
      busy: new Map([[a.uid, 1]]),
      waitingSince: new Map([[COMING.uid, 0]]),
    });
    return plan(input).actions.some(({ kind }) => kind === 'drain');
  };
  assert.deepEqual([leaves(5_999, undefined), leaves(6_000, undefined)], [false, true]);
  assert.deepEqual([leaves(30_999, seconds(30)), leaves(31_000, seconds(30))], [false, true]);
});

describe('of idle replicas there leaves first', () => {
  it('the one that has been idle longest, however large, by LRUByIdle', () => {
    const pool = ofSize('LRUByIdle', new Map([['vram', 55]]));
    assert.deepEqual(
      victims(pool, [
        [SMALL, 100],
        [LARGE, 200],
      ]),
      ['small#1'],
    );
  });
  it('the large one by IdleBySize, unless the small one has been idle for as much longer as its share of the bin is smaller, squared', () => {
    const pool = ofSize('IdleBySize', new Map([['vram', 55]]));
    assert.deepEqual(
      victims(pool, [
        [SMALL, 100],
        [LARGE, 900],
      ]),
      ['large#1'],
    );
    // 4 times the share counts as 16 times the idleness: 62 at 16 times are more than 990, and 61 are less.
    assert.deepEqual(
      victims(pool, [
        [SMALL, 10],
        [LARGE, 938],
      ]),
      ['large#1'],
    );
    assert.deepEqual(
      victims(pool, [
        [SMALL, 10],
        [LARGE, 939],
      ]),
      ['small#1'],
    );
  });
  it('the same as by LRUByIdle where all take the same, and where nobody knows what there is', () => {
    const twin = takes('twin', 10);
    assert.deepEqual(
      victims(ofSize('IdleBySize', new Map([['vram', 20]])), [
        [SMALL, 100],
        [twin, 200],
      ]),
      ['small#1'],
    );
    const counted = { ...ofSize('IdleBySize', undefined), maxLoaded: 2 };
    assert.deepEqual(
      victims(counted, [
        [SMALL, 100],
        [LARGE, 900],
      ]),
      ['small#1'],
    );
  });
  it('the one that was used last longest ago, of those that were seen ready at one moment, after all their requests', () => {
    const [a, b] = [aPreset('a'), aPreset('b')];
    const input = planInput({
      now: 1_000,
      pools: [aPool({ maxLoaded: 2 })],
      presets: [COMING, a, b],
      replicas: [aReplica(a, readySince(900)), aReplica(b, readySince(900))],
      idleSince: new Map([
        [a.uid, 200],
        [b.uid, 100],
      ]),
      waitingSince: new Map([[COMING.uid, 999]]),
    });
    const drained = plan(input).actions.flatMap((action) => (action.kind === 'drain' ? [action.replica] : []));
    assert.deepEqual(drained, ['b#1']);
  });
  it('the one whose name comes first, whatever its id, of those that are idle since the same moment', () => {
    const [a, b] = [aPreset('a'), aPreset('b')];
    const input = planInput({
      now: 1_000,
      pools: [aPool({ maxLoaded: 2 })],
      presets: [COMING, a, b],
      replicas: [
        { ...aReplica(a, readySince(0)), id: replicaId('9') },
        { ...aReplica(b, readySince(0)), id: replicaId('1') },
      ],
      waitingSince: new Map([[COMING.uid, 999]]),
    });
    const drained = plan(input).actions.flatMap((action) => (action.kind === 'drain' ? [action.replica] : []));
    assert.deepEqual(drained, ['9']);
  });
});
