import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName, presetUid, type PresetUid } from '../domain/ids.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import { instant } from '../domain/units.ts';
import type { BlockedReason } from '../planner/action.ts';
import { waitsFor } from './describe-blocked.ts';

const uids = (...names: string[]): PresetUid[] => names.map(presetUid);

function because(reason: BlockedReason, words?: string): string {
  const nameOf = (uid: PresetUid): string | undefined => (uid.startsWith('gone') ? undefined : `model-${uid}`);
  const [own] = uids('own');
  assert.ok(own !== undefined);
  const waits = waitsFor({ preset: own, reason, position: undefined }, { nameOf, schedulerWords: () => words });
  assert.equal(waits.reason, reason.kind);
  return waits.because;
}

const holding = (...names: string[]): string => because({ kind: 'WaitingForCapacity', holders: uids(...names) });

describe('what a blocked model waits for', () => {
  it('has the names of at most three models, in the order of the alphabet, each once', () => {
    assert.equal(holding('b'), 'room: taken by model-b, in use or not allowed to leave');
    assert.match(holding('b', 'a', 'b'), /by model-a and model-b,/u);
    assert.match(holding('c', 'b', 'a'), /by model-a, model-b and model-c,/u);
    assert.match(holding('e', 'd', 'c', 'b', 'a'), /by model-a, model-b, model-c and 2 more,/u);
  });
  it('names nobody who is not declared any more', () => {
    assert.match(holding('gone'), /by another model,/u);
    assert.match(holding('gone', 'gone-2'), /by other models,/u);
    assert.match(holding('a', 'gone'), /by model-a and 1 more,/u);
  });
  it('is said for every reason, with those that it is about', () => {
    const until = instant(5_000);
    const [beneficiary = presetUid('')] = uids('a');
    const sentences: [BlockedReason, RegExp][] = [
      [{ kind: 'PoolNotFound', pool: poolName('gpus') }, /^its pool gpus, which does not exist$/u],
      [{ kind: 'PoolPaused', pool: poolName('gpus') }, /^its pool gpus, which is paused$/u],
      [{ kind: 'NotAccepted', reason: 'Invalid', message: 'no source' }, /^its declaration .*: no source$/u],
      [{ kind: 'AutoloadOff' }, /^an order/u],
      [{ kind: 'BackOff', until }, /^the next try/u],
      [{ kind: 'WaitingForDrain', leaving: uids('a', 'b') }, /^model-a and model-b to finish/u],
      [{ kind: 'Reserved', beneficiary }, /kept for model-a/u],
      [{ kind: 'MinResidency', until }, /long enough/u],
      [{ kind: 'ActivityUnknown', presets: uids('a') }, /^news of model-a/u],
      [{ kind: 'HigherPriority', holders: uids('a') }, /by model-a, of a higher priority/u],
    ];
    for (const [reason, sentence] of sentences) assert.match(because(reason), sentence);
  });
  it('has the words of the scheduler, where it has refused this very model', () => {
    assert.equal(because({ kind: 'Unschedulable', until: instant(5) }, 'no node fits'), 'a place: no node fits');
    assert.match(because({ kind: 'Unschedulable', until: instant(5) }), /needs no more/u);
  });
  it('says what of a model is too large', () => {
    const footprint = new Map([
      ['vram', 5],
      ['gpu', 2],
      ['cpu', 1],
    ]);
    const largest = new Map([
      ['vram', 4],
      ['cpu', 1],
    ]);
    assert.match(because({ kind: 'TooLarge', footprint, largest }), /needs more gpu and vram than any part/u);
    assert.match(because({ kind: 'TooLarge', footprint: NO_RESOURCES, largest }), /room for nothing/u);
  });
  it('does not change because time has passed: it is written into statuses', () => {
    const kinds = ['BackOff', 'Unschedulable', 'MinResidency'] as const;
    for (const kind of kinds) {
      assert.equal(because({ kind, until: instant(1) }), because({ kind, until: instant(2_000) }));
    }
  });
  it('has its place in the queue apart from the words', () => {
    const blocked = { preset: presetUid('a'), reason: { kind: 'WaitingForCapacity', holders: [] } } as const;
    const words = { nameOf: () => undefined, schedulerWords: () => undefined };
    const [second, third] = [2, 3].map((position) => waitsFor({ ...blocked, position }, words));
    assert.deepEqual([second?.position, third?.position], [2, 3]);
    assert.equal(second?.because, third?.because);
  });
});
