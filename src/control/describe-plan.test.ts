import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName, poolName, presetUid, replicaId, type PresetUid } from '../domain/ids.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import { instant } from '../domain/units.ts';
import type { BlockedReason } from '../planner/action.ts';
import type { Leaver, WhatIf } from '../planner/what-if.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import type { Refusal } from '../routing/route.ts';
import { SEES_ALL, type Sight } from '../routing/sight.ts';
import { FakeCorral } from '../testing/fake-corral.ts';
import { aPool, aPreset, scaled } from '../testing/worlds.ts';
import { notAcceptedPlan, planFor, type PlanQuestion } from './describe-plan.ts';

const [a, b, c] = [aPreset('a'), aPreset('b'), aPreset('c')];
const GONE = presetUid('gone-uid');
const NOW = instant(100_000);

/** What is told of `a` where the planner says so. */
function told(whatIf: WhatIf, refusal?: Refusal, sight = SEES_ALL): ModelPlan {
  const control = {
    catalog: { pools: [aPool()], presets: [a, b, c] },
    plan: () => whatIf,
    schedulerWords: (uid: PresetUid) => (uid === a.uid ? 'no node has room' : undefined),
  };
  const plan = planFor(control, { uid: a.uid, refusal, sight, now: NOW });
  assert.ok(plan !== undefined);
  return plan;
}

const waiting = (reason: BlockedReason, leaving: readonly Leaver[] = [], position?: number): WhatIf => ({
  kind: 'waits',
  blocked: { preset: a.uid, reason, position },
  leaving,
});

describe('a plan for a model', () => {
  it('says that it is ready, loads, returns or starts, and where', () => {
    const about = { model: 'a', pool: 'default' };
    assert.deepEqual(told({ kind: 'served', ready: true }), { ...about, outcome: 'ready', message: 'it is ready' });
    assert.equal(told({ kind: 'served', ready: false }).outcome, 'loading');
    assert.equal(told({ kind: 'returns' }).outcome, 'returns');
    assert.deepEqual(told({ kind: 'starts', bin: binName('gpu-1') }), {
      ...about,
      outcome: 'starts',
      bin: 'gpu-1',
      message: 'it would be started at once',
    });
  });

  it('says who would leave for it and since when each is idle, and leaves out what nobody knows', () => {
    const leaving: readonly Leaver[] = [
      {
        replica: replicaId('b#1'),
        preset: b.uid,
        cause: { kind: 'evicted', beneficiary: a.uid },
        idleSince: instant(98_001),
      },
      {
        replica: replicaId('x#2'),
        preset: GONE,
        cause: { kind: 'fairness', beneficiary: a.uid },
        idleSince: undefined,
      },
    ];
    const plan = told(waiting({ kind: 'WaitingForDrain', leaving: [b.uid, GONE] }, leaving, 2));
    assert.ok(plan.outcome === 'waits');
    assert.deepEqual(plan.leaving, [
      { model: 'b', replica: 'b#1', cause: 'evicted', idle_seconds: 1 },
      { replica: 'x#2', cause: 'fairness' },
    ]);
    assert.deepEqual([plan.reason, plan.position, plan.holders], ['WaitingForDrain', 2, ['b']]);
    assert.ok(!('until_seconds' in plan), 'no time that the planner has not given');
    assert.match(plan.message, /^it would wait for \S/u);
  });

  it('has neither name nor replica of a model that whoever asks may not see', () => {
    const sight: Sight = { seesAll: false, sees: (model) => model === 'a' || model === 'c' };
    const leaving = [b.uid, c.uid, GONE].map((preset): Leaver => {
      const cause = { kind: 'evicted', beneficiary: a.uid } as const;
      return { replica: replicaId(`secret-${preset}#1`), preset, cause, idleSince: undefined };
    });
    const plan = told(waiting({ kind: 'WaitingForDrain', leaving: [b.uid, c.uid, GONE] }, leaving), undefined, sight);
    assert.ok(plan.outcome === 'waits');
    assert.deepEqual(plan.holders, ['c']);
    assert.deepEqual(plan.leaving, [
      { cause: 'evicted' },
      { model: 'c', replica: `secret-${c.uid}#1`, cause: 'evicted' },
      { cause: 'evicted' },
    ]);
    assert.match(plan.message, /for c and 2 more to finish/u);
    const alone = told(waiting({ kind: 'WaitingForCapacity', holders: [b.uid] }), undefined, sight);
    assert.match(alone.message, /taken by another model,/u);
  });

  it('gives the end of a wait in seconds from now, never too few and never negative', () => {
    for (const [until, left] of [
      [101_001, 2],
      [101_000, 1],
      [99_000, 0],
    ] as const) {
      const plan = told(waiting({ kind: 'MinResidency', until: instant(until) }));
      assert.ok(plan.outcome === 'waits');
      assert.equal(plan.until_seconds, left);
    }
  });

  it('names the models that the reason is about', () => {
    const about = (reason: BlockedReason): unknown => {
      const plan = told(waiting(reason));
      return 'holders' in plan && plan.holders;
    };
    assert.deepEqual(about({ kind: 'Reserved', beneficiary: b.uid }), ['b']);
    assert.deepEqual(about({ kind: 'ActivityUnknown', presets: [c.uid, b.uid] }), ['c', 'b']);
    assert.deepEqual(about({ kind: 'HigherPriority', holders: [b.uid] }), ['b']);
    assert.deepEqual(about({ kind: 'WaitingForCapacity', holders: [GONE, c.uid] }), ['c']);
    assert.deepEqual(about({ kind: 'TooLarge', footprint: NO_RESOURCES, largest: NO_RESOURCES }), []);
  });

  it('is missing for a preset that is missing, on either side', () => {
    const catalog = { pools: [], presets: [a] };
    const about = (uid: PresetUid): PlanQuestion => ({ uid, refusal: undefined, sight: SEES_ALL, now: NOW });
    assert.equal(
      planFor({ catalog, plan: () => ({ kind: 'returns' }), schedulerWords: () => undefined }, about(b.uid)),
      undefined,
    );
    assert.equal(planFor({ catalog, plan: () => undefined, schedulerWords: () => undefined }, about(a.uid)), undefined);
  });

  it('has the words of the last failure, or those of the scheduler, where they are what it waits for', () => {
    const failure = { reason: 'out of memory', logTail: ['secret'], exitCode: 1, failures: 1, retryAt: NOW };
    const refusal = { kind: 'load-failed', ...failure } as const;
    for (const [kind, words] of [
      ['BackOff', /out of memory$/u],
      ['Unschedulable', /no node has room$/u],
    ] as const) {
      const plan = told(waiting({ kind, until: instant(130_000) }), refusal);
      assert.ok(plan.outcome === 'refused');
      assert.deepEqual([plan.reason, plan.until_seconds], [kind, 30]);
      assert.match(plan.message, words);
    }
    const held = told(waiting({ kind: 'Unschedulable', until: instant(130_000) }));
    assert.ok(held.outcome === 'waits');
    assert.match(held.message, /no node has room$/u);
  });

  it('of a model that is too large is a refusal, whether anybody has asked for it or not, and says what it lacks', () => {
    const large = waiting({ kind: 'TooLarge', footprint: new Map([['vram', 2]]), largest: new Map([['vram', 1]]) });
    const message = 'it is too large for its pool: it needs more vram than any part of its pool has';
    for (const plan of [told(large), told(large, { kind: 'too-large', because: 'a larger pool' })]) {
      assert.ok(plan.outcome === 'refused');
      assert.deepEqual([plan.reason, plan.message], ['TooLarge', message]);
    }
  });

  it('that is not accepted has the words of its refusal', () => {
    const plan = notAcceptedPlan({ model: 'a', pool: 'gpu' }, { reason: 'InvalidPod', message: 'no image' });
    assert.ok(plan.outcome === 'refused');
    assert.equal(plan.reason, 'NotAccepted');
    assert.match(plan.message, /InvalidPod: no image$/u);
  });
});

describe('a plan and what becomes of a request then', () => {
  const planOf = (corral: FakeCorral, now: number): ModelPlan | undefined => {
    const refusal = corral.board.read().findByUid(a.uid)?.refusal;
    return planFor(corral.control, { uid: a.uid, refusal, sight: SEES_ALL, now: instant(now) });
  };
  const outcomes = (corral: FakeCorral): [string | undefined, string] => [
    planOf(corral, 1_000)?.outcome,
    corral.request(a.model).state.kind,
  ];

  it('agree where it is refused, and where it waits', async () => {
    for (const [pool, preset] of [
      [aPool({ paused: true }), a],
      [aPool({ name: poolName('other') }), a],
      [aPool(), scaled(a, { autoload: false })],
    ] as const) {
      const corral = new FakeCorral();
      corral.control.setCatalog({ pools: [pool], presets: [preset] });
      assert.deepEqual(outcomes(corral), ['refused', 'answered']);
    }
    const failing = new FakeCorral();
    failing.control.setCatalog({ pools: [aPool()], presets: [a] });
    failing.control.orderLoad(a.uid);
    failing.backend.makeFail(replicaId('a#1'));
    await failing.settle();
    assert.deepEqual(outcomes(failing), ['refused', 'answered']);
  });

  it('agree where it is too large, which the planner finds out only once it is asked for', async () => {
    const corral = new FakeCorral();
    const pool = aPool({ bins: [{ name: binName('whole'), size: NO_RESOURCES }] });
    corral.control.setCatalog({ pools: [pool], presets: [{ ...a, footprint: new Map([['vram', 1]]) }] });
    assert.equal(planOf(corral, 1_000)?.outcome, 'refused');
    const request = corral.request(a.model);
    await corral.settle();
    assert.equal(request.state.kind, 'answered');
    assert.deepEqual(corral.backend.history, []);
  });

  it('agree on who leaves, and looking makes nobody leave', async () => {
    const corral = new FakeCorral();
    corral.control.setCatalog({ pools: [aPool()], presets: [a, b] });
    corral.control.orderLoad(b.uid);
    corral.backend.makeReady(replicaId('b#1'));
    await corral.settle();
    await corral.pass(5_000);
    const plan = planOf(corral, 6_000);
    assert.ok(plan?.outcome === 'waits');
    assert.deepEqual(
      plan.leaving.map(({ replica, cause, idle_seconds: idle }) => [replica, cause, idle]),
      [['b#1', 'evicted', 5]],
    );
    assert.deepEqual(corral.backend.history, ['start b', 'ready b']);
    assert.equal(corral.request(a.model).state.kind, 'held');
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(2), ['drain b', 'stop b']);
  });
});
