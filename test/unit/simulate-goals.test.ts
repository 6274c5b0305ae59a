import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { POLICIES, type Outcome, type PolicyName } from '../../src/simulator/outcome.ts';
import { judgeGoals, renderGoals } from '../bench/simulate-goals.ts';
import { listScenarios, loadExample } from '../bench/simulate.ts';

const outcome = (policy: PolicyName, coldStarts: number, p99: number): Outcome => ({
  policy,
  coldStarts,
  wait: { p50: 0, p95: 0, p99, max: p99 },
  ...{ requests: 9, coldRequests: 9, starved: 0, reloads: 0, reloadsPerHour: 0, gpuHours: 0, cut: 0 },
});
const all = (own: Outcome, rival = 10): Outcome[] =>
  POLICIES.map((policy) => (policy === 'corral' ? own : outcome(policy, rival, rival * 1000)));

describe('the goals of the simulations', () => {
  it('are met by one that is no worse than the rivals and near the best', () => {
    assert.equal(
      renderGoals(judgeGoals(all(outcome('corral', 10, 10_000)), true)),
      `goal: no more cold starts than llama-router (10, 10): met
goal: no longer p99 wait than llama-router (10.0 s, 10.0 s): met
goal: no more cold starts than llama-swap (10, 10): met
goal: no longer p99 wait than llama-swap (10.0 s, 10.0 s): met
goal: cold starts at most 1.5 times clairvoyant's (10, 10: 1.00): met
`,
    );
  });
  it('are each missed by a little', () => {
    const verdicts = (own: Outcome): boolean[] => judgeGoals(all(own), true).map(({ isMet }) => isMet);
    assert.deepEqual(verdicts(outcome('corral', 11, 10_000)), [false, true, false, true, true]);
    assert.deepEqual(verdicts(outcome('corral', 10, 10_001)), [true, false, true, false, true]);
    assert.deepEqual(verdicts(outcome('corral', 16, 0)), [false, true, false, true, false]);
  });
  it('take an unknown wait for no short one', () => {
    const unknown = { ...outcome('corral', 10, 0), wait: undefined };
    assert.deepEqual(
      judgeGoals(all(unknown), false).map(({ isMet }) => isMet),
      [true, false, true, false],
    );
  });
  it('are judged of each of the policies that Corral has', () => {
    const goals = judgeGoals(all(outcome('corral', 11, 0)), true, 'corral-by-size');
    assert.ok(goals.every(({ isMet }) => isMet));
  });
  it('are not judged without an outcome of each', () => {
    assert.throws(() => judgeGoals([outcome('corral', 1, 1)], false), /no outcome of llama-router/u);
  });
});

describe('examples/simulate', () => {
  it('has a scenario for each generator, all of which can be read', async () => {
    const names = listScenarios();
    assert.deepEqual(names, [
      ...['azure-code', 'azure-conversation', 'burstgpt', 'bursts', 'chat-titles', 'day-night', 'ping-pong', 'zipf'],
    ]);
    for (const name of names) {
      const { scenario } = await loadExample(name);
      assert.equal(scenario.name, name);
      assert.ok(scenario.trace.at.length >= 30_000, name);
    }
  });
});
