import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelName, presetUid } from '../domain/ids.ts';
import { instant, milliseconds } from '../domain/units.ts';
import { WAIT_REASONS } from '../domain/wait-reason.ts';
import type { Phase, Refusal } from '../routing/route.ts';
import { SEES_ALL, type Sight } from '../routing/sight.ts';
import { tableOf, type ModelSketch } from '../testing/edge-testbed.ts';
import { othersIn, statusOf, type ModelStatus } from './model-status.ts';
import { waitForLargerPool } from '../routing/too-large.ts';

/** What is said of the first of these models. */
function statusIn(models: readonly ModelSketch[], sight: Sight = SEES_ALL): ModelStatus {
  const table = tableOf(models);
  const route = table.find(modelName(String(models[0]?.model)));
  assert.ok(route !== undefined);
  return statusOf(route, othersIn(table, sight));
}

const ONE: Sight = { seesAll: false, sees: (model) => model === 'a' || model === 'mine' };
const waiting = (reason: (typeof WAIT_REASONS)[number], position?: number): Phase => ({
  kind: 'waiting',
  reason,
  because: 'room: taken by theirs',
  ...(position === undefined ? {} : { position }),
});
const HOLDERS: readonly ModelSketch[] = [
  { model: 'mine', holds: ['default'] },
  { model: 'theirs', holds: ['other', 'default'] },
  { model: 'elsewhere', holds: ['other'] },
  { model: 'unloaded' },
];

describe('the status of a model that waits for room', () => {
  const queued = { model: 'a', phase: waiting('WaitingForCapacity', 2), lastLoad: milliseconds(1234.5) };

  it('has why, its place, who holds the room of its pool, and how long its last load took', () => {
    assert.deepEqual(statusIn([queued, ...HOLDERS]), {
      value: 'loading',
      phase: 'waiting',
      reason: 'WaitingForCapacity',
      message: 'it waits for room: taken by theirs; it is number 2 in the queue of its pool',
      position: 2,
      holders: ['mine', 'theirs'],
      expected_load_ms: 1235,
    });
  });

  it('names no model that whoever asks does not see, neither as a holder nor in a sentence', () => {
    const { message, holders, reason, position } = statusIn([queued, ...HOLDERS], ONE);
    assert.deepEqual([reason, position, holders], ['WaitingForCapacity', 2, ['mine']]);
    assert.equal(message, 'it waits for room: taken by other models; it is number 2 in the queue of its pool');
  });

  it('says nothing that nobody knows: no place, no load', () => {
    const status = statusIn([{ model: 'a', phase: waiting('WaitingForCapacity') }]);
    assert.deepEqual(Object.keys(status), ['value', 'phase', 'reason', 'message', 'holders']);
    assert.deepEqual(status.holders, []);
  });

  it('has holders where it waits for what others hold, and nowhere else', () => {
    const barred = WAIT_REASONS.filter(
      (reason) => statusIn([{ model: 'a', phase: waiting(reason) }, ...HOLDERS]).holders === undefined,
    );
    assert.deepEqual(barred, ['PoolNotFound', 'PoolPaused', 'NotAccepted', 'AutoloadOff', 'BackOff', 'TooLarge']);
    assert.equal(statusIn([{ model: 'a', phase: { kind: 'loading' } }, ...HOLDERS]).holders, undefined);
  });
});

describe('the status of a model', () => {
  const why = (phase: Phase, sight?: Sight): readonly unknown[] => {
    const { reason, message } = statusIn([{ model: 'a', phase }, ...HOLDERS], sight);
    return [reason, message];
  };

  it('that loads has what it does not get over', () => {
    assert.deepEqual(why({ kind: 'loading' }), [undefined, undefined]);
    const trouble = { code: 'NotStarting', words: 'no disk' } as const;
    assert.deepEqual(why({ kind: 'loading', trouble }), ['NotStarting', 'no disk']);
  });

  it('that leaves has why, and for whom to those who see that one', () => {
    assert.deepEqual(why({ kind: 'draining', cause: { kind: 'idle' } }), [
      'Idle',
      'nobody has used it for its idle timeout',
    ]);
    const evicted = { kind: 'stopping', cause: { kind: 'evicted', beneficiary: presetUid('uid-theirs') } } as const;
    assert.deepEqual(why(evicted), ['Evicted', 'it makes room for theirs']);
    assert.deepEqual(why(evicted, ONE), ['Evicted', 'it makes room for another model']);
    assert.deepEqual(why({ kind: 'draining' }), [undefined, undefined]);
  });

  it('whose load has failed has how and why, in the words of llama-server too', () => {
    const failure = { logTail: ['secret line'], exitCode: 3, failures: 1, retryAt: instant(9) };
    const phase = { kind: 'failed', code: 'CrashedOnLoad', reason: 'it broke', ...failure } as const;
    assert.deepEqual(statusIn([{ model: 'a', phase }]), {
      value: 'unloaded',
      failed: true,
      exit_code: 3,
      phase: 'failed',
      reason: 'CrashedOnLoad',
      message: 'it broke',
    });
  });

  it('that nobody would load has why', () => {
    const refused = (refusal: Refusal): readonly unknown[] => {
      const { phase, reason, message } = statusIn([{ model: 'a', refusal }]);
      return [phase, reason, message];
    };
    assert.deepEqual(refused({ kind: 'not-accepted', reason: 'InvalidPod', message: 'no image' }), [
      'unloaded',
      'InvalidPod',
      'no image',
    ]);
    assert.deepEqual(refused({ kind: 'pool-paused', pool: 'p' }), ['unloaded', 'PoolPaused', 'its pool p is paused']);
    assert.equal(refused({ kind: 'pool-not-found', pool: 'p' })[1], 'PoolNotFound');
    assert.equal(refused({ kind: 'autoload-off' })[1], 'AutoloadOff');
    assert.deepEqual(refused({ kind: 'too-large', because: waitForLargerPool('it needs more vram') }), [
      'unloaded',
      'TooLarge',
      'it needs more vram',
    ]);
    const failure = { reason: 'it broke', logTail: [], exitCode: 1, failures: 1, retryAt: instant(9) };
    assert.deepEqual(refused({ kind: 'load-failed', code: 'OOMKilled', ...failure }), [
      'unloaded',
      'OOMKilled',
      'it broke',
    ]);
  });
});
