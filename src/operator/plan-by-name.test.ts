import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Foresight } from '../control/describe-plan.ts';
import { modelName } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import type { BlockedReason } from '../planner/action.ts';
import type { WhatIf } from '../planner/what-if.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { clusterWorld, uidOf, type WorldSketch } from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import { planByName } from './plan-by-name.ts';

const OBJECTS = [declared('chat', [declaredPreset('small', { model: 'Org/Small:Q4', aliases: ['small'] })])];

/** What is answered about a name while the planner says so of all presets. */
function asked(name: string, whatIf: WhatIf | undefined, sketch: WorldSketch = {}): ModelPlan | undefined {
  const { acceptance, views } = clusterWorld(OBJECTS, sketch);
  const catalog = { pools: [], presets: views.map(({ preset }) => preset) };
  const control: Foresight = { catalog, plan: () => whatIf, schedulerWords: () => undefined };
  return planByName({ name: modelName(name), acceptance, control, views, now: instant(1_000) });
}

const blockedBy = (reason: BlockedReason): WhatIf => ({
  kind: 'waits',
  blocked: { preset: uidOf('chat/small'), reason, position: undefined },
  leaving: [],
});

describe('the plan for a name in a cluster', () => {
  it('is that of the preset that was granted the name, by alias too', () => {
    for (const name of ['Org/Small:Q4', 'small']) {
      assert.equal(asked(name, { kind: 'served', ready: true })?.model, 'Org/Small:Q4');
    }
  });

  it('is missing for a name that nobody was granted', () => {
    for (const name of ['chat', 'SMALL', '__proto__']) assert.equal(asked(name, { kind: 'returns' }), undefined);
  });

  it('of a preset that is not accepted has the words of its condition', () => {
    const plan = asked('small', undefined, { pools: [] });
    assert.ok(plan?.outcome === 'refused');
    assert.deepEqual([plan.model, plan.pool, plan.reason], ['small', 'default', 'NotAccepted']);
    assert.match(plan.message, /PoolNotFound: \S/u);
  });

  it('is a refusal where the edges would refuse, and a wait where they would hold', () => {
    const backOff = { reason: 'it broke', logTail: [], exitCode: 1, failures: 1, retryAt: instant(9_000) };
    const reason = { kind: 'BackOff', until: instant(9_000) } as const;
    const refused = asked('small', blockedBy(reason), { standings: { 'chat/small': { backOff } } });
    assert.ok(refused?.outcome === 'refused');
    assert.match(refused.message, /it broke/u);
    assert.equal(asked('small', blockedBy({ kind: 'WaitingForCapacity', holders: [] }))?.outcome, 'waits');
  });
});
