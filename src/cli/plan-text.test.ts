import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ModelPlan } from '../routing/model-plan.ts';
import { planText } from './plan-text.ts';

const about = { model: 'qwen3-8b', pool: 'gpu', message: 'it would wait for room: a is in use' };
const waits = { ...about, outcome: 'waits', reason: 'WaitingForDrain', holders: [], leaving: [] } as const;

function assertText(plan: ModelPlan, ...lines: string[]): void {
  assert.deepEqual(planText(plan), lines);
}

describe('a plan for people', () => {
  it('is one line where nobody has to leave', () => {
    assertText({ ...about, outcome: 'ready' }, 'qwen3-8b is ready: a request would be served at once.');
    assertText({ ...about, outcome: 'loading' }, 'qwen3-8b is loading: a request would wait until it is ready.');
    assertText(
      { ...about, outcome: 'returns' },
      'qwen3-8b is leaving, and would stay: a request would be served at once.',
    );
    assertText({ ...about, outcome: 'starts', bin: 'pool' }, 'qwen3-8b would be started at once.');
    assertText({ ...about, outcome: 'starts', bin: 'gpu-1' }, 'qwen3-8b would be started at once, in gpu-1.');
  });

  it('has a row for each model that would leave, and for each that leaves already', () => {
    const leaving = [
      { model: 'llama3-8b', replica: 'r1', cause: 'evicted', idle_seconds: 725 },
      { model: 'phi', replica: 'r2', cause: 'evicted', idle_seconds: 45 },
      { replica: 'r3', cause: 'fairness' },
    ];
    assertText(
      { ...waits, holders: ['llama3-8b', 'phi', 'gemma'], leaving },
      'qwen3-8b would wait for 4 models to leave:',
      '  llama3-8b              idle for 12 min  evicted',
      '  phi                    idle for 45 s    evicted',
      '  r3 (declared no more)  in use           finishes its requests, then leaves: others have waited too long',
      '  gemma                  leaves already',
    );
  });

  it('says one model where it is one', () => {
    const leaving = [{ model: 'phi', replica: 'r2', cause: 'evicted', idle_seconds: 7_500 }];
    assertText(
      { ...waits, holders: ['phi'], leaving },
      'qwen3-8b would wait for 1 model to leave:',
      '  phi  idle for 2 h 5 min  evicted',
    );
  });

  it('says no more of a model that may not be known than that there is one', () => {
    assertText(
      { ...waits, leaving: [{ cause: 'evicted', idle_seconds: 45 }] },
      'qwen3-8b would wait for 1 model to leave:',
      '  another model  idle for 45 s  evicted',
    );
  });

  it('gives the reason, the place in the queue and the time where nobody leaves', () => {
    assertText(
      { ...waits, reason: 'MinResidency', position: 3, until_seconds: 9, holders: ['a'] },
      'qwen3-8b would wait.',
      '  MinResidency: it would wait for room: a is in use',
      '  number 3 of those that wait for room in the pool gpu',
      '  nothing changes by itself for 9 s',
    );
    assertText(
      { ...waits, outcome: 'refused', reason: 'BackOff', until_seconds: 300 },
      'A request for qwen3-8b would be refused.',
      '  BackOff: it would wait for room: a is in use',
      '  nothing changes by itself for 5 min',
    );
  });

  it('has no characters that a terminal obeys', () => {
    const [line = ''] = planText({ ...about, model: 'a\u001b[2Jb\u009b\n', outcome: 'ready' });
    assert.doesNotMatch(line, /\p{Cc}/u);
  });
});
